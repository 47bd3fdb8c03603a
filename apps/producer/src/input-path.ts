import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';

/** A path that the producer does not read. */
export class InputPathError extends Error {
  override readonly name = 'InputPathError';

  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`The path ${JSON.stringify(path)} ${problem}`);
  }
}

/**
 * The file behind a path that a request names, symbolic links followed.
 * @param root that it must be below, itself with links followed
 * @throws InputPathError for one that leads elsewhere; the message says nothing of what is there
 */
export async function inputPath(root: string | null, path: string): Promise<string> {
  if (root === null) throw new InputPathError(path, 'cannot be read: this producer takes uploads only.');
  const parts = path.split(/[/\\]/);
  // A percent sign may be part of a name, an encoded separator or dot is none.
  if (isAbsolute(path) || path.includes('\0') || parts.includes('..') || /%(2e|2f|5c|00)/i.test(path)) {
    throw new InputPathError(
      path,
      'must be relative to the input folder of the producer, and stay below it.',
    );
  }
  const missing = new InputPathError(path, 'is no file below the input folder of the producer.');
  const [top, file] = await Promise.all([realpath(root), realpath(join(root, path))]).catch(() => {
    throw missing;
  });
  if (!file.startsWith(top + sep) || !(await stat(file)).isFile()) throw missing;
  return file;
}

/** The input folder as paths of its files name it: as it is set, and with links followed. */
export async function inputRoots(root: string | null): Promise<string[]> {
  return root === null ? [] : [root, await realpath(root).catch(() => root)];
}
