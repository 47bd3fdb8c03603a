import { isAscii, isUtf8 } from 'node:buffer';

import type { Reject } from '#pipeline/ports.js';

import type { RecordSplitter } from './record-splitter.js';

export interface ChunkLimits {
  readonly rows: number;
  /** The chunk is also full with the row that brings its records to this many bytes: memory is bounded whatever the rows. */
  readonly bytes: number;
}

/** The records of one chunk, back to back, each followed by a line feed. */
export interface RawChunk {
  /** Rows of the corpus, rejected ones included. */
  readonly rows: number;
  readonly bytes: Buffer;
  /** Index behind each record (before its line feed), `[records]`. */
  readonly ends: readonly number[];
  /** Number of each record in the corpus, from 1, `[records]`. */
  readonly numbers: readonly number[];
  /** Rows that are no records. */
  readonly rejects: readonly Reject[];
}

/**
 * Reads the next rows, and the blank lines behind them.
 * @param firstRow number of the first row
 * @param toTheRow stop right behind the last row, and leave the blank lines that follow
 */
export async function readRawChunk(
  splitter: RecordSplitter,
  firstRow: number,
  limits: ChunkLimits,
  toTheRow: boolean,
): Promise<RawChunk> {
  let bytes: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  let length = 0;
  let rows = 0;
  const ends: number[] = [];
  const numbers: number[] = [];
  const rejects: Reject[] = [];
  for (;;) {
    const full = rows >= limits.rows || length >= limits.bytes;
    if (full && toTheRow) break;
    const located = splitter.locate();
    if (located === 'end') break;
    if (located === 'starved') {
      await splitter.more();
      continue;
    }
    if (located !== 'blank') {
      if (full) break;
      const row = firstRow + rows;
      rows++;
      if (located === 'whole') {
        const { contentBytes } = splitter;
        bytes = withRoom(bytes, length, contentBytes + 1);
        splitter.copyContent(bytes, length);
        length += contentBytes;
        bytes[length] = 0x0a;
        ends.push(length);
        numbers.push(row);
        length++;
      } else {
        rejects.push(splitReject(row, located, splitter));
      }
    }
    const passing = splitter.advance();
    if (passing !== undefined) await passing;
  }
  return { rows, bytes: bytes.subarray(0, length), ends, numbers, rejects };
}

function withRoom(bytes: Buffer, length: number, wanted: number): Buffer {
  if (length + wanted <= bytes.length) return bytes;
  const grown = Buffer.allocUnsafeSlow(Math.max(length + wanted, bytes.length * 2));
  bytes.copy(grown, 0, 0, length);
  return grown;
}

function splitReject(row: number, reason: 'too-long' | 'unclosed-quote', splitter: RecordSplitter): Reject {
  const message =
    reason === 'too-long'
      ? `expected at most ${splitter.maxRowBytes} bytes, got ${splitter.bytes}`
      : 'expected a quoted field to end with a quote before a delimiter or line end; it does not, and only its line is left out';
  return { row, reason, message };
}

/** The text of each record; undefined where it is not UTF-8, which is rejected. */
export function recordTexts(raw: RawChunk, rejects: Reject[]): (string | undefined)[] {
  const { bytes, ends, numbers } = raw;
  const valid = isUtf8(bytes);
  const encoding = valid && isAscii(bytes) ? 'latin1' : 'utf8';
  let from = 0;
  return ends.map((end, index) => {
    const start = from;
    from = end + 1;
    if (valid || isUtf8(bytes.subarray(start, end))) return bytes.toString(encoding, start, end);
    rejects.push({
      row: numbers[index] ?? 0,
      reason: 'invalid-utf8',
      message: 'expected UTF-8, got other bytes',
    });
    return undefined;
  });
}
