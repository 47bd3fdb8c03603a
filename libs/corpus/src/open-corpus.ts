import { CorpusOpenError } from './corpus-errors.js';
import type { CorpusFormat, CorpusOptions, FileOptions } from './corpus-options.js';
import { checkOptions, formatOf } from './corpus-options.js';
import type { FileCorpus } from './file-corpus.js';
import { FilesCorpus } from './files-corpus.js';
import { jsonParts, tableParts, textParts } from './format-parts.js';
import { withKnownGolds } from './known-golds.js';
import { openRecords } from './open-records.js';

/**
 * Opens a corpus of one file or of several, or of standard input. Reads what it must know before the first row: the
 * header of every table, the fields of the first rows of JSON, the footer of Parquet; and the labels of the first rows,
 * where it has labels for a model.
 * @throws CorpusOpenError when a file, its format, header or options make reading pointless
 * @throws CorpusChangedError when standard input was spooled and sealed, and the spool changed since
 */
export async function openCorpus(options: CorpusOptions): Promise<FileCorpus> {
  const corpus = await openFiles(options);
  try {
    return await withKnownGolds(corpus, options);
  } catch (error) {
    await corpus.close();
    throw error;
  }
}

async function openFiles(options: CorpusOptions): Promise<FileCorpus> {
  const { paths, names = paths, stdin, ...reading } = options;
  for (const path of paths) {
    const file = { ...reading, path, stdin };
    checkOptions(file, formatOf(file));
  }
  const [first, ...others] = paths;
  if (first === undefined) throw new CorpusOpenError('the corpus', 'expected at least one file.');
  if (others.length === 0) return openFile({ ...reading, path: first, stdin }, 0);
  if (paths.includes('-')) {
    throw new CorpusOpenError('-', 'standard input cannot be joined with files. Give it alone.');
  }
  return FilesCorpus.open({
    paths,
    names,
    open: (path, file, convention) => openFile({ ...reading, ...convention?.reading, path }, file),
    limit: options.limit ?? Infinity,
  });
}

function openFile(options: FileOptions, file: number): Promise<FileCorpus> {
  return openFormat[formatOf(options)](options, file);
}

const openFormat: Readonly<
  Record<CorpusFormat, (options: FileOptions, file: number) => Promise<FileCorpus>>
> = {
  jsonl: (options, file) => openRecords(options, file, jsonParts),
  txt: (options, file) => openRecords(options, file, textParts),
  csv: (options, file) => openRecords(options, file, tableParts(',')),
  tsv: (options, file) => openRecords(options, file, tableParts('\t')),
  // Thirty small modules, which no other run shall wait for.
  parquet: async (options, file) =>
    (await import('./parquet/parquet-corpus.js')).openParquetCorpus(options, file),
};
