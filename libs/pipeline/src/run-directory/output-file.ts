import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, rm, stat, writeFile } from 'node:fs/promises';
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

/** There is a file already that this run did not write. */
export class OutputExistsError extends Error {
  override readonly name = 'OutputExistsError';

  constructor(readonly output: string) {
    super(`The output ${output} exists, and this run did not write it. Name another --out, or remove it.`);
  }
}

/** Where a run merges its output: a name of its own, so that runs with one output never write into one file. */
export function temporaryOutput(run: RunDirectory, output: string): string {
  return `${output}.${run.record.id}${temporarySuffix}`;
}

/**
 * Finds out before the work whether the output can be written after it, and clears what a killed merge left.
 *
 * @throws OutputPathError
 * @throws OutputExistsError
 */
export async function prepareOutput(run: RunDirectory, output: string): Promise<void> {
  try {
    await makeFolder(dirname(output));
    const kind = await kindOf(output);
    if (kind !== undefined && kind !== 'a file') throw new Error(`it is ${kind}`);
    // Output comes after a sealed plan only.
    if (kind === 'a file' && !run.plan.sealed) throw new OutputExistsError(output);
    const temporary = temporaryOutput(run, output);
    await writeFile(temporary, '');
    await rm(temporary);
  } catch (error) {
    throw error instanceof OutputExistsError ? error : new OutputPathError(output, error);
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
        'or delete the run directory and what is there of the output, and run the same command again.',
    );
  }
}

/** Compares the output of a finished run with its `_SUCCESS`. @throws OutputChangedError */
export async function verifyOutput(run: RunDirectory, success: RunSuccess, output: string): Promise<void> {
  const hash = createHash('sha256');
  try {
    // A pipe would be waited for.
    if (!(await stat(output)).isFile())
      throw new OutputChangedError(output, run.folder, 'is no longer a file');
    for await (const block of createReadStream(output) as AsyncIterable<Buffer>) hash.update(block);
  } catch (error) {
    throw isMissing(error) ? new OutputChangedError(output, run.folder, 'is missing') : error;
  }
  if (hash.digest('hex') !== success.sha256) {
    throw new OutputChangedError(output, run.folder, 'was changed since');
  }
}

/** What a path itself names; a link is not followed. */
async function kindOf(path: string): Promise<string | undefined> {
  try {
    const found = await lstat(path);
    if (found.isFile()) return 'a file';
    if (found.isDirectory()) return 'a folder';
    return found.isSymbolicLink() ? 'a symbolic link' : 'a pipe or device';
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
