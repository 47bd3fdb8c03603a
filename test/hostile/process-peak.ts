import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The most memory that a process held, MiB, read until it ends; undefined where the system does not tell. */
export async function watchPeak(pid: number, ended: Promise<unknown>): Promise<number | undefined> {
  const watch = new AbortController();
  void ended.finally(() => watch.abort());
  let peak: number | undefined;
  while (!watch.signal.aborted) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kib !== undefined) peak = Number(kib) / 1024;
    await sleep(50);
  }
  return peak;
}
