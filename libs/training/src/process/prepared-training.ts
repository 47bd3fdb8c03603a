import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import type { CheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import type { TrainingRows } from '../data/read-rows.js';
import { sharedRows } from '../data/read-rows.js';
import type { TrainingTask } from '../loop/training-task.js';
import type { TrainableModel } from '../model/trainable-model.js';

/** Of a stream of random numbers: first values of exits are not those of any step. */
export const FIRST_VALUES = 0x5eed;

/** A training that can begin. */
export interface Prepared {
  readonly model: TrainableModel;
  readonly task: TrainingTask;
  readonly rows: TrainingRows;
  readonly dev: TrainingRows | undefined;
  close(): Promise<void>;
}

export async function tokenizerOf(
  checkpoint: Checkpoint,
  { specialTokens: rule, maxLength }: Pick<CheckpointConfig, 'specialTokens' | 'maxLength'>,
): Promise<TextTokenizer> {
  return TextTokenizer.of(await checkpoint.tokenizer(), checkpoint.path, { rule, maxLength });
}

/** Says what was read of a corpus. */
export function tell(note: (text: string) => void, what: string, rows: TrainingRows): void {
  for (const each of rows.notes) note(each);
  const extras = [
    rows.rejected > 0 ? `${rows.rejected} rejected` : '',
    rows.truncated > 0 ? `${rows.truncated} cut to the maximum length` : '',
    rows.empty > 0 ? `${rows.empty} without a word` : '',
  ].filter(Boolean);
  note(
    `${what}: ${rows.lengths.length} rows, ${rows.tokens.ids.length} tokens${extras.map((each) => `, ${each}`).join('')}.`,
  );
}

/** The same of the dev corpus, and whether it has rows of the other. */
export function tellOfDev(
  note: (text: string) => void,
  rows: TrainingRows,
  dev: TrainingRows | undefined,
): void {
  if (dev === undefined) return;
  tell(note, 'Dev', dev);
  const shared = sharedRows(dev, rows);
  if (shared > 0) {
    note(
      `${shared} of ${dev.lengths.length} dev rows are among the training rows too: figures on dev look better than they are.`,
    );
  }
}
