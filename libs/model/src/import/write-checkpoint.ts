import { realpath, writeFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import {
  checkpointConfigJson,
  CheckpointError,
  parseCheckpointConfig,
} from '../checkpoint/checkpoint-config.js';
import type { LayoutTensor } from '../checkpoint/layout-tensors.js';
import { layoutTensors } from '../checkpoint/layout-tensors.js';
import { vocabularyGap } from '../checkpoint/vocabulary-gap.js';
import { writeSafetensors } from '../checkpoint/write-safetensors.js';
import { isThere, writeWholeDirectory } from '../whole-directory.js';

/** The place for a checkpoint is taken. */
export class CheckpointExistsError extends Error {
  override readonly name = 'CheckpointExistsError';
  constructor(
    readonly path: string,
    advice: string,
  ) {
    super(`${path} is already there. ${advice}`);
  }
}

export interface WrittenTensors {
  /** The tensor that is being written, by its name in the checkpoint layout. */
  readonly tensor: string;
  /** Values that are written. */
  readonly values: number;
  readonly totalValues: number;
}

export interface WriteOptions {
  readonly out: string;
  /** Lets another checkpoint be replaced, and nothing else. */
  readonly force: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((written: WrittenTensors) => void) | undefined;
}

/**
 * Writes a model in the checkpoint layout, weights in float32, to a directory that appears whole or not at all. Every
 * tensor is checked on its way. The same model gives the same bytes, and so does what was written before.
 *
 * @param config the model's, or with labels and limits changed
 * @throws CheckpointExistsError, CheckpointError, TokenizerFileError, and what the model's weights throw
 */
export async function writeCheckpoint(
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  { out: place, force, signal, onProgress }: WriteOptions,
): Promise<void> {
  const out = resolve(place);
  await refuseToOverwrite(out, force, checkpoint.path);
  // What is written is what is read back, key by key.
  const written = checkpointConfigJson(parseCheckpointConfig(checkpoint.path, checkpointConfigJson(config)));
  const tensors = layoutTensors(config);
  let totalValues = 0;
  for (const { name, shape } of tensors) totalValues += checkpoint.locate(name, shape);
  let values = 0;
  const read = async ({ name, shape }: LayoutTensor, memory: Float32Array): Promise<Float32Array> => {
    signal?.throwIfAborted();
    onProgress?.({ tensor: name, values, totalValues });
    const found = await checkpoint.tensor(name, shape, memory);
    values += found.length;
    return found;
  };
  await writeWholeDirectory(out, async (directory) => {
    const file = (name: string): string => join(directory, name);
    await writeFile(file('config.json'), `${JSON.stringify(written, null, 2)}\n`, { flush: true });
    await writeTokenizer(file('tokenizer.json'), checkpoint, config);
    await writeSafetensors(file('model.safetensors'), tensors, read);
    signal?.throwIfAborted();
  });
}

/** @throws CheckpointExistsError */
async function refuseToOverwrite(out: string, force: boolean, source: string): Promise<void> {
  if (!(await isThere(out))) return;
  if (!force) throw new CheckpointExistsError(out, 'Choose another --out, or replace it with --force.');
  const [from, to] = [await realpath(source), await realpath(out)];
  if (`${from}${sep}`.startsWith(`${to}${sep}`)) {
    throw new CheckpointExistsError(out, 'It is what is to be imported; choose another --out.');
  }
  const names = ['config.json', 'model.safetensors'];
  const found = await Promise.all(names.map((name) => isThere(join(out, name))));
  if (found.every(Boolean)) return;
  throw new CheckpointExistsError(
    out,
    `It is no checkpoint (${names.join(' and ')} are not both in it), so --force does not replace it; choose another --out.`,
  );
}

/** Writes the tokenizer, checked to be the model's. @throws CheckpointError, TokenizerFileError */
async function writeTokenizer(
  path: string,
  checkpoint: Checkpoint,
  { geometry, specialTokens: rule, maxLength }: CheckpointConfig,
): Promise<void> {
  const json = await checkpoint.tokenizer();
  const gap = vocabularyGap(json, geometry.vocabSize);
  if (gap !== undefined) throw new CheckpointError(checkpoint.path, gap);
  // Throws where texts cannot be tokenised by it.
  TextTokenizer.of(json, checkpoint.path, { rule, maxLength });
  await writeFile(path, `${JSON.stringify(json)}\n`, { flush: true });
}
