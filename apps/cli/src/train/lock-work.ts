import { rmdir } from 'node:fs/promises';
import { makeFolder } from '#pipeline/run-directory/durable-write.js';
import { RunLock } from '#pipeline/run-directory/run-lock.js';
import { workFolder } from '#training/process/training-work.js';

/**
 * One command alone works on what becomes `out`. Trainers have their own way to know whose a training is: they take one over
 * sooner than a lock of another host is void.
 *
 * @param onLost hears that another host took it
 * @returns what gives it back, and leaves nothing where no work was kept
 * @throws RunLockedError
 */
export async function lockWork(out: string, onLost: (error: Error) => void): Promise<() => Promise<void>> {
  const folder = workFolder(out);
  await makeFolder(folder);
  const lock = await RunLock.acquire(folder, onLost);
  return async () => {
    await lock.release();
    await rmdir(folder).catch(() => undefined);
  };
}
