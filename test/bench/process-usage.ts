import { readFileSync } from 'node:fs';

/** What a process has used up since it began. */
export interface ProcessUsage {
  /** User and system time of all threads, seconds. */
  readonly cpuSeconds: number;
  /** The most resident memory, bytes. */
  readonly peakBytes: number;
}

/** Of the calling process. */
export function processUsage(): ProcessUsage {
  return { cpuSeconds: processCpuSeconds(), peakBytes: memoryBytes('self', 'VmHWM') ?? maxRssBytes() };
}

/** User and system time of all threads of the calling process, seconds. */
export function processCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * Processor time of the calling process's main thread, seconds; undefined where the system does not say (outside Linux).
 * The first number of schedstat is nanoseconds on a processor.
 */
export function mainThreadCpuSeconds(): number | undefined {
  const text = readIfThere(`/proc/self/task/${process.pid}/schedstat`);
  return text === undefined ? undefined : Number(text.split(' ')[0]) / 1e9;
}

/** A figure of /proc/PID/status, bytes; undefined where there is none. */
export function memoryBytes(pid: number | 'self', figure: 'VmHWM' | 'VmRSS'): number | undefined {
  const kibibytes = new RegExp(`^${figure}:\\s+(\\d+) kB$`, 'm').exec(
    readIfThere(`/proc/${pid}/status`) ?? '',
  )?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** Clock ticks of Linux's /proc in a second. */
const TICKS = 100;

/** User and system time of all threads of another process, seconds; undefined outside Linux. */
export function cpuSecondsOf(pid: number): number | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // Counted behind the command, which may itself hold blanks: fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Linux lets a child inherit its parent's in this figure, so it is only the second choice. */
function maxRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
