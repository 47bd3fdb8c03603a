import { writeFile } from 'node:fs/promises';
import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import { lengthBatches } from '#training/data/length-batches.js';
import type { TrainingRows } from '#training/data/read-rows.js';
import { readRows } from '#training/data/read-rows.js';
import type { StageWork, TextBatch } from './work.js';

/** Of an epoch, as the training loop seeds its batches. */
export const FIRST_EPOCH = 1;

/** @throws CorpusOpenError, TrainingDataError */
export async function readWork(
  checkpoint: Checkpoint,
  { corpus, rows }: Pick<StageWork, 'corpus' | 'rows'>,
): Promise<TrainingRows> {
  const { specialTokens: rule, maxLength, task, labels } = checkpoint.config;
  const tokenizer = TextTokenizer.of(await checkpoint.tokenizer(), checkpoint.path, { rule, maxLength });
  const options = { paths: [corpus], labelField: 'label', limit: rows };
  return readRows({ corpus: options, tokenizer, task, labelled: true, labels });
}

/** Writes the batches of the first epoch for PyTorch. @returns how many there are */
export async function writeBatches(
  path: string,
  rows: TrainingRows,
  { batchTokens, seed, steps }: Pick<StageWork, 'batchTokens' | 'seed' | 'steps'>,
): Promise<number> {
  const batches = lengthBatches(rows.lengths, batchTokens, [seed, FIRST_EPOCH]);
  const { ids, starts } = rows.tokens;
  const made = batches.slice(0, steps).map((batch): TextBatch => ({
    ids: Array.from(batch, (row) => Array.from(ids.subarray(starts[row], starts[row + 1]))),
    golds: Array.from(batch, (row) => rows.golds![row]!),
  }));
  await writeFile(path, JSON.stringify(made));
  return batches.length;
}
