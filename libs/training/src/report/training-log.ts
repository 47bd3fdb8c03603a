import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingEvent } from '../loop/training-events.js';

export const LOG_NAME = 'training.jsonl';

/** Checkpoints and log of a training, until it is done. @param out directory of the checkpoint that it makes */
export function workFolderOf(out: string): string {
  return `${out}.training`;
}

/** What a log tells; the last line may be torn. */
export function eventsOf(log: string): TrainingEvent[] {
  const lines = log.split('\n');
  lines.pop();
  return lines.map((line): TrainingEvent => JSON.parse(line));
}

/** The log of a training that goes on or is done; empty where there is none. @param out directory of its checkpoint */
export async function logText(out: string): Promise<string> {
  for (const folder of [out, workFolderOf(out)]) {
    const text = await readFile(join(folder, LOG_NAME), 'utf8').catch(() => undefined);
    if (text !== undefined) return text.slice(0, text.lastIndexOf('\n') + 1);
  }
  return '';
}
