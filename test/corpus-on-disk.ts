import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Corpus, CorpusChunk, PlannedChunk } from '#pipeline/ports.js';

/** A folder of its own that is deleted when `use` has ended. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-corpus-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes a file in a folder of its own and hands its path to `use`. */
export function withFile<T>(
  name: string,
  content: string | Uint8Array,
  use: (path: string) => Promise<T>,
): Promise<T> {
  return inFolder(async (folder) => {
    const path = join(folder, name);
    await writeFile(path, content);
    return use(path);
  });
}

/** All chunks of a corpus, which is closed then. */
export async function readChunks(opening: Promise<Corpus>, after?: PlannedChunk): Promise<CorpusChunk[]> {
  const corpus = await opening;
  try {
    const chunks: CorpusChunk[] = [];
    for await (const chunk of corpus.chunks(after)) chunks.push(chunk);
    return chunks;
  } finally {
    await corpus.close();
  }
}

/** The columns of many chunks as one. */
export function joined(
  chunks: readonly CorpusChunk[],
): Pick<CorpusChunk, 'rows' | 'texts' | 'records' | 'rejects'> {
  return {
    rows: chunks.reduce((rows, chunk) => rows + chunk.rows, 0),
    texts: chunks.flatMap((chunk) => [...chunk.texts]),
    records: chunks.flatMap((chunk) => [...chunk.records]),
    rejects: chunks.flatMap((chunk) => [...chunk.rejects]),
  };
}
