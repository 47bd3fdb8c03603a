import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';

/** Whether a path has characters that stand for others. */
export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/**
 * The files that a pattern stands for, in no order: `*` and `?` within a name, `[a-z]` and `[!a-z]` for one character,
 * `**` for folders however deep. Names that start with a dot are found only by patterns that do.
 */
export async function* matchingFiles(pattern: string): AsyncGenerator<string> {
  const absolute = pattern.startsWith('/');
  const names = pattern.split('/').filter((name) => name !== '');
  yield* below(absolute ? '/' : '', names);
}

/** @param folder ends in `/`, or is empty: the current one */
async function* below(folder: string, [name, ...deeper]: readonly string[]): AsyncGenerator<string> {
  if (name === undefined) return;
  if (name === '**') {
    yield* below(folder, deeper);
    // Links are not followed, or one to a folder above would have no end.
    for (const entry of await entriesOf(folder)) {
      if (entry.isDirectory() && !entry.name.startsWith('.')) {
        yield* below(`${folder}${entry.name}/`, [name, ...deeper]);
      }
    }
    return;
  }
  const names = isPattern(name) ? await matchingNames(folder, name) : [name];
  for (const found of names) {
    const path = folder + found;
    if (deeper.length > 0) yield* below(`${path}/`, deeper);
    else if (await isFile(path, isPattern(name))) yield path;
  }
}

async function matchingNames(folder: string, pattern: string): Promise<string[]> {
  const expression = nameExpression(pattern);
  const names = (await entriesOf(folder)).map((entry) => entry.name);
  return names.filter((name) => expression.test(name) && (pattern.startsWith('.') || !name.startsWith('.')));
}

function nameExpression(pattern: string): RegExp {
  const parts = pattern.match(/\[!?[^\]]+\]|[^]/gu) ?? [];
  const sources = parts.map((part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length > 2 && part.startsWith('[')) return characterClass(part);
    return escaped(part);
  });
  return new RegExp(`^${sources.join('')}$`, 'su');
}

function characterClass(part: string): string {
  const negated = part.startsWith('[!');
  const characters = part.slice(negated ? 2 : 1, -1).replaceAll(/[\\\]^]/g, String.raw`\$&`);
  return `[${negated ? '^' : ''}${characters}]`;
}

function escaped(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

/** Nothing where there is no such folder. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder === '' ? '.' : folder, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return [];
    throw error;
  }
}

/** @param found among the names of its folder: what cannot be looked at then is told of when it is opened */
async function isFile(path: string, found: boolean): Promise<boolean> {
  try {
    return !(await stat(path)).isDirectory();
  } catch {
    return found;
  }
}
