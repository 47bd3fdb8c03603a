import type { ByteSource } from './byte-source.js';
import { CorpusOpenError } from './corpus-errors.js';
import { objectFields } from './json-rows.js';
import { readRawChunk, recordTexts } from './raw-chunk.js';
import type { RecordSplitter } from './record-splitter.js';
import type { Table } from './table-rows.js';

/** What is looked at before reading starts, in all and in one step. */
const SAMPLE_BYTES = 1 << 24;
const STEP_BYTES = 1 << 20;

/** Its byte order mark, or two characters of ASCII without one, in hex: every other byte is zero. */
const utf16 = /^(fffe|feff|00(?!00)..00(?!00)..|(?!00)..00(?!00)..00)/;

/**
 * Bytes of the UTF-8 byte order mark at the start, 0 or 3.
 * @throws CorpusOpenError when the file is UTF-16
 */
export async function byteOrderMark(source: ByteSource): Promise<number> {
  const start = Buffer.alloc(4);
  let length = 0;
  while (length < start.length) {
    const read = await source.read(start.subarray(length), length);
    if (read === 0) break;
    length += read;
  }
  const hex = start.toString('hex', 0, length);
  if (hex.startsWith('efbbbf')) return 3;
  if (utf16.test(hex)) throw new CorpusOpenError(source.path, 'it is UTF-16. Convert it to UTF-8.');
  return 0;
}

/**
 * Reads the line that names the columns.
 * @returns the names, and where the rows start
 * @throws CorpusOpenError when there is none, or it is none
 */
export async function readHeader(
  path: string,
  splitter: RecordSplitter,
  cells: Table['cells'],
): Promise<{ columns: readonly string[]; bodyStart: number }> {
  const head = await readRawChunk(splitter, 1, { rows: 1, bytes: Infinity }, true);
  const problems = [...head.rejects];
  const [columns] = cells(head, recordTexts(head, problems));
  const [problem] = problems;
  if (problem !== undefined) throw new CorpusOpenError(path, `its header is broken: ${problem.message}.`);
  if (columns === undefined) throw new CorpusOpenError(path, 'expected a header line, found none.');
  const seen = new Set<string>();
  const twice = columns.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) {
    throw new CorpusOpenError(
      path,
      `the header names the column ${JSON.stringify(twice)} twice. Rename one.`,
    );
  }
  return { columns, bodyStart: splitter.start };
}

/** Names 1, 2, … of the columns of a table without header: as many as its first whole record has. */
export async function numberColumns(splitter: RecordSplitter, cells: Table['cells']): Promise<string[]> {
  for (;;) {
    const row = await readRawChunk(splitter, 1, { rows: 1, bytes: Infinity }, true);
    if (row.rows === 0) return [];
    const [first] = cells(row, recordTexts(row, []));
    if (first !== undefined) return first.map((_, index) => String(index + 1));
  }
}

/**
 * The fields of the first rows of JSON lines, in order of appearance: of so many rows, or of the first 16 MiB of them.
 */
export async function sampleFields(splitter: RecordSplitter, rows: number): Promise<string[]> {
  const names = new Set<string>();
  let rowsLeft = rows;
  let bytesLeft = SAMPLE_BYTES;
  while (rowsLeft > 0 && bytesLeft > 0) {
    const raw = await readRawChunk(
      splitter,
      1,
      { rows: rowsLeft, bytes: Math.min(bytesLeft, STEP_BYTES) },
      true,
    );
    if (raw.rows === 0) break;
    rowsLeft -= raw.rows;
    bytesLeft -= raw.bytes.length;
    for (const json of recordTexts(raw, [])) {
      for (const name of json === undefined ? [] : objectFields(json)) names.add(name);
    }
  }
  return [...names];
}
