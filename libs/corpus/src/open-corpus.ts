import type { ByteSource } from './byte-source.js';
import { FileSource } from './byte-source.js';
import { byteOrderMark } from './corpus-head.js';
import type { CorpusFormat, CorpusOptions } from './corpus-options.js';
import { checkOptions, formatOf } from './corpus-options.js';
import type { FormatParts, SplitterFactory } from './format-parts.js';
import { jsonParts, tableParts, textParts } from './format-parts.js';
import { RecordCorpus } from './record-corpus.js';
import { RecordSplitter } from './record-splitter.js';
import { SpoolSource } from './stdin-spool.js';

/**
 * Opens a corpus of one file, or of standard input. Reads what it must know before the first row: the header, or the
 * fields of the first rows.
 * @throws CorpusOpenError when the file, its format, header or options make reading pointless
 * @throws CorpusChangedError when standard input was spooled and sealed, and the spool changed since
 */
export async function openCorpus(options: CorpusOptions): Promise<RecordCorpus> {
  const format = formatOf(options);
  checkOptions(options, format);
  const { path, stdin } = options;
  const source =
    path === '-' && stdin !== undefined ? await SpoolSource.open(stdin) : await FileSource.open(path);
  try {
    return await openSource(source, format, options);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function openSource(
  source: ByteSource,
  format: CorpusFormat,
  options: CorpusOptions,
): Promise<RecordCorpus> {
  const split = { maxRowBytes: options.maxRowBytes ?? 1 << 20, readBytes: options.readBytes ?? 1 << 18 };
  const chunk = { rows: options.chunkRows ?? 1024, bytes: options.chunkBytes ?? 1 << 24 };
  const start = await byteOrderMark(source);
  const parts = await partsOf[format](
    options,
    (grammar) => new RecordSplitter(source, start, grammar, split),
  );
  return new RecordCorpus({ source, file: 0, split, chunk, limit: options.limit ?? Infinity, ...parts });
}

const partsOf: Readonly<
  Record<CorpusFormat, (options: CorpusOptions, splitter: SplitterFactory) => Promise<FormatParts>>
> = {
  jsonl: jsonParts,
  txt: textParts,
  csv: (options, splitter) => tableParts(options, splitter, ','),
  tsv: (options, splitter) => tableParts(options, splitter, '\t'),
};
