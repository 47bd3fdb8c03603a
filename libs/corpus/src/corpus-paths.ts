import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';

import { CorpusOpenError } from './corpus-errors.js';
import { isPattern, matchingFiles } from './path-pattern.js';

/**
 * The files of a corpus: those that are named, in this order, and for a pattern all that it stands for, by name in the
 * order of bytes. Each file is there once, whatever it is named by; `-` is standard input.
 *
 * A name that is there is no pattern, whatever characters it has.
 * @param own paths that no pattern stands for, nor for what is in them: what a run of this corpus writes, which is not
 * there at first and may be when the same command is given again
 * @throws CorpusOpenError for a folder, and for a pattern that no file matches
 */
export async function corpusPaths(given: readonly string[], own: readonly string[] = []): Promise<string[]> {
  /** By the file's one true path. */
  const paths = new Map<string, string>();
  for (const name of given) {
    for (const path of await filesOf(name, own)) {
      const file = await realpath(path).catch(() => path);
      if (!paths.has(file)) paths.set(file, path);
    }
  }
  return [...paths.values()];
}

async function filesOf(name: string, own: readonly string[]): Promise<string[]> {
  if (name === '-') return [name];
  const found: Stats | undefined = await stat(name).catch(() => undefined);
  if (found?.isDirectory() === true) {
    const folder = name.endsWith('/') ? name : `${name}/`;
    throw new CorpusOpenError(name, `it is a folder. Name its files, such as '${folder}*.jsonl'.`);
  }
  if (found !== undefined || !isPattern(name)) return [name];
  const files: string[] = [];
  for await (const file of matchingFiles(name)) {
    if (!own.some((path) => isWithin(file, path))) files.push(file);
  }
  if (files.length === 0) throw new CorpusOpenError(name, 'no file matches this pattern.');
  return files.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
}

/** Whether a path is another, or below it. */
function isWithin(path: string, folder: string): boolean {
  return `${resolve(path)}${sep}`.startsWith(`${resolve(folder)}${sep}`);
}
