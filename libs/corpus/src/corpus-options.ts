import type { AnswerForm } from '#pipeline/answer-form.js';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';

import { CorpusOpenError } from './corpus-errors.js';

export type CorpusFormat = 'jsonl' | 'csv' | 'tsv' | 'txt' | 'parquet';

/** Columns that a table may have unless more are allowed. */
export const MAX_COLUMNS = 10_000;

/** What a model takes and gives. */
export interface RowsOfModel {
  readonly task: 'single' | 'pair';
  readonly labels: readonly string[];
  /** What it answers: one label unless told. */
  readonly problem?: AnswerForm['problem'] | undefined;
}

/** How the rows of a file are read. */
export interface ReadOptions {
  /** By the extension where it is not given; `.gz` behind it does not count. */
  readonly format?: CorpusFormat | undefined;
  /** csv and tsv: whether the first line names the columns (the default). Without it their names are 1, 2, … */
  readonly header?: boolean | undefined;
  /** tsv without header: `label` and `text`, where the first file of the corpus was recognised so; else 1, 2, … */
  readonly columns?: readonly string[] | undefined;
  /** csv and tsv: whether quotes enclose fields (the default), or are characters like any other, as in many tsv. */
  readonly quotes?: boolean | undefined;
  /** Default `text`. */
  readonly textField?: string | undefined;
  /** Second text, for pair tasks. */
  readonly pairField?: string | undefined;
  /** The label that the corpus gives. */
  readonly labelField?: string | undefined;
  /** The model that the rows are for: what is not said of its texts and labels is recognised, where the corpus has a known form. */
  readonly recognise?: RowsOfModel | undefined;
  /** Fields that the output carries; default all. */
  readonly fields?: readonly string[] | undefined;
  /** Read no more than so many rows. */
  readonly limit?: number | undefined;
  /** Rows of a chunk; default 1,024. */
  readonly chunkRows?: number | undefined;
  /** A chunk is also full when its records reach so many bytes; default 16 MiB. */
  readonly chunkBytes?: number | undefined;
  /** Longest row; default 1 MiB. */
  readonly maxRowBytes?: number | undefined;
  /** Bytes that may come out of a compressed file; unless given, up to 200 times as many as go in, and 64 MiB always. */
  readonly maxDecompressedBytes?: number | undefined;
  /** Columns of a csv or tsv; default 10,000. */
  readonly maxColumns?: number | undefined;
  /** How much is read at once; default 256 KiB. Changes nothing in the result. */
  readonly readBytes?: number | undefined;
}

/** Standard input: the stream, and the file that its bytes are kept in. */
export interface StandardInput {
  readonly stream: Readable;
  readonly spoolPath: string;
}

export interface CorpusOptions extends ReadOptions {
  /** The files, in the order of their rows; or `-` alone, for standard input. */
  readonly paths: readonly string[];
  /** What rejects call each of several files; their paths unless told. */
  readonly names?: readonly string[] | undefined;
  /** For `-`. */
  readonly stdin?: StandardInput | undefined;
}

/** One file of a corpus. */
export interface FileOptions extends ReadOptions {
  /** A file, or `-`. */
  readonly path: string;
  readonly stdin?: StandardInput | undefined;
}

const formatOfExtension: Readonly<Record<string, CorpusFormat>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.txt': 'txt',
  '.parquet': 'parquet',
};

/** @throws CorpusOpenError when neither option nor extension says it */
export function formatOf(options: Pick<FileOptions, 'path' | 'format'>): CorpusFormat {
  const name = options.path.toLowerCase().replace(/\.gz$/, '');
  const format = options.format ?? formatOfExtension[extname(name)];
  if (format === undefined) {
    throw new CorpusOpenError(
      options.path,
      'its format is unknown. Say which it is: jsonl, csv, tsv, txt or parquet.',
    );
  }
  return format;
}

const wholeNumbers = [
  'limit',
  'chunkRows',
  'chunkBytes',
  'maxRowBytes',
  'maxDecompressedBytes',
  'maxColumns',
  'readBytes',
] as const;

/** @throws CorpusOpenError when an option makes no sense */
export function checkOptions(options: FileOptions, format: CorpusFormat): void {
  const { path } = options;
  for (const name of wholeNumbers) {
    const value = options[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1)) {
      throw new CorpusOpenError(path, `${name} must be a whole number from 1; got ${value}.`);
    }
  }
  for (const name of ['header', 'quotes'] as const) {
    if (options[name] !== undefined && format !== 'csv' && format !== 'tsv') {
      throw new CorpusOpenError(path, `${name} is an option of csv and tsv; the format is ${format}.`);
    }
  }
  if (path === '-' && options.stdin === undefined) {
    throw new CorpusOpenError(path, 'standard input needs its stream and a file to keep it in (stdin).');
  }
}
