import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { isMissing } from './record-line.js';

export class RunDirectoryError extends Error {
  override readonly name = 'RunDirectoryError';

  constructor(
    readonly folder: string,
    message: string,
  ) {
    super(message);
  }
}

/** The JSON of a file in the run directory, which only this program writes; undefined if there is none. */
export async function readJson<T>(
  folder: string,
  name: string,
  is: (value: unknown) => value is T,
): Promise<T | undefined> {
  const path = join(folder, name);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (is(value)) return value;
  } catch {
    // Not JSON.
  }
  throw new RunDirectoryError(
    folder,
    `${path} is damaged or from elsewhere. Delete the run directory and label the corpus again.`,
  );
}
