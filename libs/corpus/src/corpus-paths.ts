import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';

import { CorpusOpenError } from './corpus-errors.js';
import { isPattern, matchingFiles } from './path-pattern.js';

/**
 * The files of a corpus: those that are named, in this order, and for a pattern all that it stands for, by name in the
 * order of bytes. Each file is there once, whatever it is named by; `-` is standard input.
 *
 * A name that is there is no pattern, whatever characters it has.
 * @throws CorpusOpenError for a folder, and for a pattern that no file matches
 */
export async function corpusPaths(given: readonly string[]): Promise<string[]> {
  /** By the file's one true path. */
  const paths = new Map<string, string>();
  for (const name of given) {
    for (const path of await filesOf(name)) {
      const file = await realpath(path).catch(() => path);
      if (!paths.has(file)) paths.set(file, path);
    }
  }
  return [...paths.values()];
}

async function filesOf(name: string): Promise<string[]> {
  if (name === '-') return [name];
  const found: Stats | undefined = await stat(name).catch(() => undefined);
  if (found?.isDirectory() === true) {
    const folder = name.endsWith('/') ? name : `${name}/`;
    throw new CorpusOpenError(name, `it is a folder. Name its files, such as '${folder}*.jsonl'.`);
  }
  if (found !== undefined || !isPattern(name)) return [name];
  const files: string[] = [];
  for await (const file of matchingFiles(name)) files.push(file);
  if (files.length === 0) throw new CorpusOpenError(name, 'no file matches this pattern.');
  return files.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
}
