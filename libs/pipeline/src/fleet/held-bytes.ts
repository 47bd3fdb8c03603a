import type { CorpusChunk } from '../ports.js';

/**
 * About as many bytes as a chunk that waits takes: its texts, a character of most of which is one, and its rows as they were
 * read, with all their other fields.
 */
export function heldBytes({ texts, pairs = [], recordBytes, range }: CorpusChunk): number {
  let bytes = recordBytes ?? range.end - range.start;
  for (const text of texts) bytes += text.length;
  for (const text of pairs) bytes += text.length;
  return bytes;
}
