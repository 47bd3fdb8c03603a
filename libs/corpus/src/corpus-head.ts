import { createHash } from 'node:crypto';

import type { ByteSource } from './byte-source.js';
import { CorpusOpenError } from './corpus-errors.js';
import { objectFields } from './json-rows.js';
import { readRawChunk, recordTexts } from './raw-chunk.js';
import type { RecordSplitter } from './record-splitter.js';
import { parseRecords } from './table-rows.js';

const SAMPLE_BYTES = 1024 * 1024;
const MOST_FIELDS = 10_000;

/**
 * Bytes of the UTF-8 byte order mark at the start, 0 or 3.
 * @throws CorpusOpenError when the file is UTF-16
 */
export async function byteOrderMark(source: ByteSource): Promise<number> {
  const start = Buffer.alloc(3);
  let length = 0;
  while (length < 3) {
    const read = await source.read(start.subarray(length), length);
    if (read === 0) break;
    length += read;
  }
  const hex = start.toString('hex', 0, length);
  if (hex === 'efbbbf') return 3;
  if (hex.startsWith('fffe') || hex.startsWith('feff')) {
    throw new CorpusOpenError(source.path, 'it is UTF-16. Convert it to UTF-8.');
  }
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
  delimiter: string,
): Promise<{ columns: string[]; bodyStart: number }> {
  const head = await readRawChunk(splitter, 1, { rows: 1, bytes: Infinity }, createHash('sha256'), true);
  const problems = [...head.rejects];
  const [text] = recordTexts(head, problems);
  if (problems[0] !== undefined)
    throw new CorpusOpenError(path, `its header is broken: ${problems[0].message}.`);
  const columns = text === undefined ? undefined : parseRecords(Buffer.from(text), delimiter)?.[0];
  if (columns === undefined) throw new CorpusOpenError(path, 'expected a header line, found none.');
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new CorpusOpenError(
      path,
      `the header names the column ${JSON.stringify(twice)} twice. Rename one.`,
    );
  }
  return { columns, bodyStart: splitter.start };
}

/** Names 1, 2, … of the columns of a table without header: as many as its first whole record has. */
export async function numberColumns(splitter: RecordSplitter, delimiter: string): Promise<string[]> {
  for (;;) {
    const row = await readRawChunk(splitter, 1, { rows: 1, bytes: Infinity }, createHash('sha256'), true);
    if (row.rows === 0) return [];
    const cells = row.ends.length === 0 ? undefined : parseRecords(row.bytes, delimiter)?.[0];
    if (cells !== undefined) return cells.map((_, index) => String(index + 1));
  }
}

/** The fields of the first `rows` rows of JSON lines, in order of appearance. */
export async function sampleFields(splitter: RecordSplitter, rows: number): Promise<string[]> {
  const names = new Set<string>();
  for (let read = 0; read < rows;) {
    const limits = { rows: rows - read, bytes: SAMPLE_BYTES };
    const raw = await readRawChunk(splitter, 1, limits, createHash('sha256'), true);
    if (raw.rows === 0) break;
    read += raw.rows;
    for (const json of recordTexts(raw, [])) {
      for (const name of json === undefined ? [] : objectFields(json)) {
        if (names.size < MOST_FIELDS) names.add(name);
      }
    }
  }
  return [...names];
}
