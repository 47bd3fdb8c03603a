import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** How temporary files end. Whoever holds a run directory's lock may delete what it finds under this name. */
export const temporarySuffix = '.sluice-tmp';

/** Moments of a durable write: the temporary file is on disk; the file has its final name. */
export type WriteMoment = 'written' | 'renamed';

/**
 * Writes a file so that at every moment, power loss included, its name shows the old content or the new, whole:
 * temporary file in the same directory → fsync → rename → fsync the directory. The only place that does so.
 */
export async function writeDurably(
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  reached?: (moment: WriteMoment) => void,
  temporary = path + temporarySuffix,
): Promise<void> {
  try {
    const file = await open(temporary, 'w');
    try {
      await writeFile(file, content);
      await file.sync();
    } finally {
      await file.close();
    }
    reached?.('written');
    await rename(temporary, path);
  } catch (error) {
    // The first error is the one to tell; what cannot be removed now goes when the run is next opened.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw withPath(error, path);
  }
  reached?.('renamed');
  await syncFolder(dirname(path));
}

/** An error of the file system, which names no file where it comes from a write, with the file's path in its message. */
export function withPath(error: unknown, path: string): unknown {
  if (error instanceof Error && 'code' in error && !('path' in error)) error.message += ` '${path}'`;
  return error;
}

/** Makes a folder, with those above it, durably. An existing folder is fine. */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  const parent = dirname(folder);
  let made: boolean;
  try {
    // Not `recursive`: Node never returns from that where a file system such as /proc answers ENOENT below a folder that exists.
    made = await makeOne(folder);
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || parent === folder) throw error;
    // The folder above may be there by now: another process makes it, too.
    if (!(await isFolder(parent))) await makeFolder(parent);
    made = await makeOne(folder);
  }
  if (made) await syncFolder(parent);
}

/** @returns whether it was not there */
async function makeOne(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST') && (await isFolder(folder))) return false;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder; its file system journals names itself.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
