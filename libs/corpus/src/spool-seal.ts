import { readFile } from 'node:fs/promises';

import { writeDurably } from '#pipeline/run-directory/durable-write.js';

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

/** Says that a spool is whole. Its bytes must be on disk already. */
export async function seal(spoolPath: string, bytes: number): Promise<void> {
  await writeDurably(`${spoolPath}.sealed`, `${bytes}\n`);
}
