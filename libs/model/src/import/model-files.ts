import { readdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { messageOf } from '#tokenizer/tokenizer-errors.js';
import { CheckpointError } from '../checkpoint/checkpoint-config.js';

/** A model as it was pointed at: a directory, or one weight file with what lies beside it. */
export interface ModelFiles {
  /** As it was given. */
  readonly path: string;
  readonly directory: string;
  /** Names of the directory's entries, sorted. */
  readonly names: readonly string[];
  /** The name of the weight file that was pointed at; `undefined` where a directory was. */
  readonly weights: string | undefined;
}

/** @throws CheckpointError where nothing is there */
export async function findModelFiles(path: string): Promise<ModelFiles> {
  try {
    const isDirectory = (await stat(path)).isDirectory();
    const directory = isDirectory ? path : dirname(path);
    const names = (await readdir(directory)).sort();
    return { path, directory, names, weights: isDirectory ? undefined : basename(path) };
  } catch (error) {
    throw new CheckpointError(path, `not a checkpoint: it cannot be read (${messageOf(error)}).`);
  }
}
