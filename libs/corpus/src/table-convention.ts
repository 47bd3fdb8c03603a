import type { Convention } from './convention.js';
import { noConvention, shownPath } from './convention.js';
import { CorpusOpenError } from './corpus-errors.js';
import type { FileOptions } from './corpus-options.js';
import { recogniseFields } from './field-names.js';
import { readRawChunk, recordTexts } from './raw-chunk.js';
import type { RecordGrammar } from './record-grammar.js';
import { isEmpty, lineGrammar } from './record-grammar.js';
import type { RecordSplitter } from './record-splitter.js';

/** Rows that all must look like label and text, and the bytes that are read of them. */
const HEAD_ROWS = 100;
const HEAD_BYTES = 1 << 20;

const columns = ['label', 'text'] as const;

/** Header names by which a first line is one even where the model has a label of that name. */
const headerWords = new Set(['label', 'labels', 'id', 'index', 'class', 'target', 'y']);

/**
 * Recognises a tsv of one of the two FastBERT implementations, where the options say nothing of it:
 * `label<TAB>text` without header (BitVoyage's), or a header that names known fields (autoliuweijie's). Neither has
 * quotes, so that a text which starts with one is a text like any other.
 *
 * Decided by the first 100 rows or the first MiB of them, whatever is read at once.
 * @param splitter starts behind the byte order mark
 * @throws CorpusOpenError
 */
export async function recogniseTsv(
  options: FileOptions,
  splitter: (grammar: RecordGrammar) => RecordSplitter,
): Promise<Convention> {
  if (options.recognise === undefined || options.header === false || options.textField !== undefined) {
    return noConvention;
  }
  // Who says that there are quotes has a table that others write.
  if (options.quotes === true) return noConvention;
  const head = splitter(lineGrammar(isEmpty));
  const [first] = await lines(head, 1);
  if (first === undefined) return noConvention;
  const cells = first.split('\t');
  if (saysNothing(options) && isLabelText(cells, options)) {
    const rows = Math.min(HEAD_ROWS, options.limit ?? HEAD_ROWS) - 1;
    const rest = rows > 0 ? await lines(head, rows) : [];
    if (rest.every((line) => line === undefined || isLabelText(line.split('\t'), options))) {
      return labelText(options);
    }
  }
  const { reading, notes } = recogniseFields(options, cells);
  return reading.textField === undefined ? noConvention : { reading: { ...reading, quotes: false }, notes };
}

/**
 * Expects that another file of a corpus without header starts with a row, too.
 * @throws CorpusOpenError
 */
export async function expectLabelText(
  options: FileOptions,
  splitter: (grammar: RecordGrammar) => RecordSplitter,
): Promise<void> {
  const [first] = await lines(splitter(lineGrammar(isEmpty)), 1);
  if (first === undefined || isLabelText(first.split('\t'), options)) return;
  throw new CorpusOpenError(
    options.path,
    `expected label<TAB>text without a header, as the first file of the corpus has it; found ${JSON.stringify(first.slice(0, 80))}. ` +
      'Label the files in a run each.',
  );
}

function saysNothing({ header, pairField, labelField }: FileOptions): boolean {
  return header === undefined && pairField === undefined && labelField === undefined;
}

/** Whether a row is a label and a text: two cells, the first a label of the model or the number of one. */
function isLabelText(cells: readonly string[], { recognise }: FileOptions): boolean {
  const [label, text] = cells;
  if (cells.length !== 2 || label === undefined || text === undefined) return false;
  // The line in which pandas names columns that have no names.
  if (label === '0' && text === '1') return false;
  if (headerWords.has(label.toLowerCase())) return false;
  const labels = recognise?.labels ?? [];
  return labels.includes(label) || isClassNumber(label, labels.length);
}

/** Whether a label is the number of a class, from 0, as BitVoyage's are. */
export function isClassNumber(label: string, classes: number): boolean {
  return /^(0|[1-9]\d{0,5})$/.test(label) && Number(label) < classes;
}

function labelText(options: FileOptions): Convention {
  return {
    reading: { header: false, columns, quotes: false, textField: 'text', labelField: 'label' },
    notes: [
      `${shownPath(options.path)}: label<TAB>text without a header (BitVoyage's convention): column 1 is the label, column 2 the text; say --header or --text-field to read it otherwise.`,
    ],
  };
}

/** The next lines; undefined where one is too long or not UTF-8. */
async function lines(splitter: RecordSplitter, rows: number): Promise<(string | undefined)[]> {
  const raw = await readRawChunk(splitter, 1, { rows, bytes: HEAD_BYTES }, true);
  return recordTexts(raw, []);
}
