import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

import { CorpusOpenError } from './corpus-errors.js';

/** Bytes of the standard input that was kept in a spool, if it was read to its end. */
export async function sealedBytes(spoolPath: string): Promise<number | undefined> {
  const path = `${spoolPath}.sealed`;
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  if (!/^\d+\n$/.test(text)) throw new CorpusOpenError(path, 'expected a number of bytes.');
  return Number(text);
}

/** Says that a spool is whole. Durable: the seal is there wholly or not at all, and never before the bytes that it counts. */
export async function seal(spoolPath: string, bytes: number): Promise<void> {
  const path = `${spoolPath}.sealed`;
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(`${bytes}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
