import { readRegularFile } from '#pipeline/regular-file.js';
import { messageOf } from '#tokenizer/tokenizer-errors.js';
import { CheckpointError } from '../checkpoint/checkpoint-config.js';

export interface JsonFile {
  readonly path: string;
  readonly text: string;
  readonly json: unknown;
}

/** @throws CheckpointError where the file cannot be read or is not JSON */
export async function readJson(path: string): Promise<JsonFile> {
  let text: string;
  try {
    text = await readRegularFile(path);
  } catch (error) {
    throw new CheckpointError(path, `cannot be read: ${messageOf(error)}.`);
  }
  try {
    return { path, text, json: JSON.parse(text) };
  } catch (error) {
    throw new CheckpointError(path, `not JSON: ${messageOf(error)}.`);
  }
}
