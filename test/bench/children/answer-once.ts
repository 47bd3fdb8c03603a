import { once } from 'node:events';
import type { ProcessUsage } from '../process-usage.js';
import { processUsage } from '../process-usage.js';
import type { ChildTasks } from './tasks.js';

export interface ChildReply<Answer> {
  readonly answer: Answer;
  readonly usage: ProcessUsage;
}

/** The life of a child process of the bench: takes one task, answers, ends. */
export async function answerOnce<Entry extends keyof ChildTasks>(
  work: (task: ChildTasks[Entry]['task']) => Promise<ChildTasks[Entry]['answer']>,
): Promise<void> {
  const messages = await once(process, 'message');
  const answer = await work(messages[0]);
  const reply: ChildReply<typeof answer> = { answer, usage: processUsage() };
  process.send?.(reply, () => process.disconnect());
}
