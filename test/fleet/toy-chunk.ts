import type { CorpusChunk } from '#pipeline/ports.js';

/** Rows that are in no file, some of which survive each of the toy stages. */
export function toyChunk(chunk: number, rows: number): CorpusChunk {
  const texts = Array.from({ length: rows }, (_, row) => `row ${row} of chunk ${chunk}`);
  const range = { file: 0, start: 0, end: 0, sha256: '' };
  return { chunk, firstRow: 1, rows, range, texts, records: texts.map(() => '{}'), rejects: [] };
}
