import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { ProcessUsage } from '../process-usage.js';
import type { ChildReply } from './answer-once.js';
import type { ChildTasks } from './tasks.js';

/** A child process of the bench ended without an answer; what it printed tells why. */
export class ChildError extends Error {
  override readonly name = 'ChildError';

  constructor(
    readonly entry: string,
    readonly end: number | string,
  ) {
    super(`${entry} ended with ${end} before it answered.`);
  }
}

export interface ChildRun<Answer> {
  readonly answer: Answer;
  /** From the start of the process to its end, seconds. */
  readonly wallSeconds: number;
  readonly usage: ProcessUsage;
}

/**
 * Runs a task in a fresh process. Typed arrays travel as they are.
 * @throws ChildError
 */
export async function runChild<Entry extends keyof ChildTasks>(
  entry: Entry,
  task: ChildTasks[Entry]['task'],
): Promise<ChildRun<ChildTasks[Entry]['answer']>> {
  const begun = performance.now();
  const child = fork(new URL(entry, import.meta.url), {
    execArgv: [],
    serialization: 'advanced',
    // Standard output belongs to the results.
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  const closed = once(child, 'close');
  const failed = closed.then(([code, signal]: unknown[]) => {
    throw new ChildError(entry, String(signal ?? code));
  });
  child.send(task);
  const messages = await Promise.race([once(child, 'message'), failed]);
  const { answer, usage }: ChildReply<ChildTasks[Entry]['answer']> = messages[0];
  await closed;
  return { answer, usage, wallSeconds: (performance.now() - begun) / 1000 };
}
