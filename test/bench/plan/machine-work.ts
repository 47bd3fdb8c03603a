import { readFileSync } from 'node:fs';

/** Clock ticks of Linux's /proc in a second. */
const TICKS = 100;

/** Processor time of everything that runs on this machine, and what the host took from it, seconds; 0 outside Linux. */
export function machineSeconds(): number {
  let line: string | undefined;
  try {
    [line] = readFileSync('/proc/stat', 'utf8').split('\n');
  } catch {
    return 0;
  }
  // user nice system idle iowait irq softirq steal; guests are counted in user.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (line ?? '')
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS;
}
