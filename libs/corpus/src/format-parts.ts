import { noConvention } from './convention.js';
import { numberColumns, readHeader, sampleFields } from './corpus-head.js';
import { CorpusOpenError } from './corpus-errors.js';
import type { FileOptions } from './corpus-options.js';
import { MAX_COLUMNS } from './corpus-options.js';
import { expectSecondText, recogniseFields } from './field-names.js';
import { jsonRowParser } from './json-rows.js';
import { QuotedGrammar } from './quoted-grammar.js';
import type { RecordCorpusParts } from './record-corpus.js';
import type { RecordGrammar } from './record-grammar.js';
import { isEmpty, isWhiteSpace, lineGrammar, neverBlank } from './record-grammar.js';
import type { RecordSplitter } from './record-splitter.js';
import type { Table } from './table-rows.js';
import { expectLabelText, recogniseTsv } from './table-convention.js';
import { lineCells, quotedCells, splitCells, tableRowParser } from './table-rows.js';
import { checkNames, isKept, readFields } from './wanted-fields.js';

/** Rows of JSON whose fields are looked at before reading starts: of the first file, and of each other. */
const SAMPLE_ROWS = 1000;
const LATER_SAMPLE_ROWS = 10;

/** What a format brings to the reading of records. */
export type FormatParts = Pick<
  RecordCorpusParts,
  'bodyStart' | 'grammar' | 'fields' | 'convention' | 'parse'
>;

/** The start of a file. */
export interface FileHead {
  /** Index of the file in the corpus. */
  readonly file: number;
  /** Makes a splitter that starts behind the byte order mark. */
  readonly splitter: (grammar: RecordGrammar) => RecordSplitter;
}

/** Reads the start of a file as far as its format needs. */
export type ReadParts = (options: FileOptions, head: FileHead) => Promise<FormatParts>;

/** JSON lines. @throws CorpusOpenError when none of the corpus's first rows has a field that is asked for */
export const jsonParts: ReadParts = async (options, { file, splitter }) => {
  const sample = splitter(jsonGrammar());
  const bodyStart = sample.start;
  const rows = file === 0 ? SAMPLE_ROWS : LATER_SAMPLE_ROWS;
  const found = await sampleFields(sample, Math.min(rows, options.limit ?? rows));
  const convention = recogniseFields(options, found);
  const asked = { ...options, ...convention.reading };
  const read = readFields(asked);
  // Where no row is an object each gets its own reject, and there is no field to ask for. A few rows of a later file
  // may lack a field that the rest has.
  if (found.length > 0 && file === 0) checkNames(asked, read, found, 'in the first rows');
  else expectSecondText(asked, found);
  const names = found.length > 0 ? found.filter(isKept(options)) : (options.fields ?? []);
  return {
    bodyStart,
    grammar: jsonGrammar,
    fields: { kind: 'json', names, chosen: options.fields !== undefined },
    convention,
    parse: jsonRowParser(read),
  };
};

/** Text, one a line. */
export const textParts: ReadParts = async (options, { splitter }) => {
  const bodyStart = splitter(textGrammar()).start;
  return {
    bodyStart,
    grammar: textGrammar,
    convention: noConvention,
    ...columnParts(options, ['text'], lineCells),
  };
};

/** csv or tsv. Its result throws CorpusOpenError when the header is broken or lacks a field that is asked for. */
export function tableParts(delimiter: string): ReadParts {
  return async (options, { splitter }) => readTable(options, splitter, delimiter);
}

async function readTable(
  given: FileOptions,
  splitter: FileHead['splitter'],
  delimiter: string,
): Promise<FormatParts> {
  const convention = delimiter === '\t' ? await recogniseTsv(given, splitter) : noConvention;
  const options = { ...given, ...convention.reading };
  const quoted = options.quotes ?? true;
  const grammar = (): RecordGrammar => (quoted ? new QuotedGrammar(delimiter) : lineGrammar(isEmpty));
  const cells = quoted ? quotedCells(delimiter) : splitCells(delimiter);
  const head = splitter(grammar());
  const textStart = head.start;
  if (options.header === false) {
    if (given.columns !== undefined) await expectLabelText(options, splitter);
    const columns = options.columns ?? (await numberColumns(head, cells));
    expectColumns(options, columns.length);
    return { bodyStart: textStart, grammar, convention, ...columnParts(options, columns, cells) };
  }
  const { columns, bodyStart } = await readHeader(options.path, head, cells);
  expectColumns(options, columns.length);
  const named = convention === noConvention ? recogniseFields(options, columns) : convention;
  const asked = { ...options, ...named.reading };
  return { bodyStart, grammar, convention: named, ...columnParts(asked, columns, cells) };
}

function expectColumns({ path, maxColumns = MAX_COLUMNS }: FileOptions, columns: number): void {
  if (columns <= maxColumns) return;
  throw new CorpusOpenError(
    path,
    `it has ${columns} columns, more than the ${maxColumns} that are allowed. Allow more (--max-columns), and carry ` +
      'only those that you need (--fields).',
  );
}

function columnParts(
  options: FileOptions,
  columns: readonly string[],
  cells: Table['cells'],
): Pick<FormatParts, 'fields' | 'parse'> {
  const read = readFields(options);
  // A table without header and without a whole record has no columns, and no row that could lack one.
  if (columns.length > 0) checkNames(options, read, columns, 'among the columns');
  const keep = isKept(options);
  const kept = [...columns.keys()].filter((column) => keep(columns[column] ?? ''));
  return {
    fields: { kind: 'cells', names: columns.filter(keep), chosen: options.fields !== undefined },
    parse: tableRowParser({ columns, kept, cells }, read),
  };
}

function jsonGrammar(): RecordGrammar {
  return lineGrammar(isWhiteSpace);
}

function textGrammar(): RecordGrammar {
  return lineGrammar(neverBlank);
}
