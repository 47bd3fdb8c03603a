import { makeFolder } from '#pipeline/run-directory/durable-write.js';
import { RunLock, RunLockedError } from '#pipeline/run-directory/run-lock.js';
import { UsageError } from '#run/usage-error.js';

/** One fleet per folder: a second Redis would write to the same file. @throws UsageError where another has it */
export async function lockFolder(folder: string): Promise<RunLock> {
  await makeFolder(folder);
  try {
    return await RunLock.acquire(folder);
  } catch (error) {
    if (!(error instanceof RunLockedError)) throw error;
    throw new UsageError(
      `The folder ${folder} is in use by the sluice dev of process ${error.pid} on ${error.host}: stop that one, or name another folder with --dir.`,
    );
  }
}
