import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { makeFolder, temporarySuffix } from './durable-write.js';
import { isMissing } from './record-line.js';
import type { RunDirectory, RunSuccess } from './run-directory.js';

/** The output cannot be written where it is wanted. */
export class OutputPathError extends Error {
  override readonly name = 'OutputPathError';

  constructor(
    readonly output: string,
    cause: unknown,
  ) {
    super(
      `The output cannot be written to ${output}: ${cause instanceof Error ? cause.message : String(cause)}. ` +
        'Name a file in a folder that may be written to.',
      { cause },
    );
  }
}

/**
 * Finds out before the work whether the output can be written after it, and clears what a killed merge left.
 *
 * @throws OutputPathError
 */
export async function prepareOutput(output: string): Promise<void> {
  const temporary = output + temporarySuffix;
  try {
    await makeFolder(dirname(output));
    if (await isFolder(output)) throw new Error('it is a folder');
    await writeFile(temporary, '');
    await rm(temporary);
  } catch (error) {
    throw new OutputPathError(output, error);
  }
}

/** The output of a finished run is not what the run wrote. */
export class OutputChangedError extends Error {
  override readonly name = 'OutputChangedError';

  constructor(
    readonly output: string,
    readonly folder: string,
    what: string,
  ) {
    super(
      `The run in ${folder} is finished, but its output ${output} ${what}. Put the output back, ` +
        'or delete the run directory and run the same command again to label the corpus anew.',
    );
  }
}

/** Compares the output of a finished run with its `_SUCCESS`. @throws OutputChangedError */
export async function verifyOutput(run: RunDirectory, success: RunSuccess, output: string): Promise<void> {
  const hash = createHash('sha256');
  try {
    for await (const block of createReadStream(output) as AsyncIterable<Buffer>) hash.update(block);
  } catch (error) {
    throw isMissing(error) ? new OutputChangedError(output, run.folder, 'is missing') : error;
  }
  if (hash.digest('hex') !== success.sha256) {
    throw new OutputChangedError(output, run.folder, 'was changed since');
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
