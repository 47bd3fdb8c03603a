import type { ByteSource } from './byte-source.js';
import { FileSource } from './byte-source.js';
import { byteOrderMark } from './corpus-head.js';
import type { FileOptions } from './corpus-options.js';
import type { ReadParts } from './format-parts.js';
import { decompressed } from './gzip-source.js';
import { RecordCorpus } from './record-corpus.js';
import { RecordSplitter } from './record-splitter.js';
import { SpoolSource } from './stdin-spool.js';

/**
 * Opens a file of records, and reads what its format must know before the first row.
 * @param file index in the corpus
 * @throws CorpusOpenError when the file, its header or options make reading pointless
 * @throws CorpusChangedError when standard input was spooled and sealed, and the spool changed since
 */
export async function openRecords(
  options: FileOptions,
  file: number,
  readParts: ReadParts,
): Promise<RecordCorpus> {
  let source = await openSource(options);
  try {
    source = await decompressed(source, options);
    const split = { maxRowBytes: options.maxRowBytes ?? 1 << 20, readBytes: options.readBytes ?? 1 << 18 };
    const chunk = { rows: options.chunkRows ?? 1024, bytes: options.chunkBytes ?? 1 << 24 };
    const limit = options.limit ?? Infinity;
    const start = await byteOrderMark(source);
    const parts = await readParts(options, {
      file,
      splitter: (grammar) => new RecordSplitter(source, start, grammar, split),
    });
    return new RecordCorpus({ source, file, split, chunk, limit, ...parts });
  } catch (error) {
    await source.close();
    throw error;
  }
}

function openSource({ path, stdin }: FileOptions): Promise<ByteSource> {
  return path === '-' && stdin !== undefined ? SpoolSource.open(stdin) : FileSource.open(path);
}
