import type { LabelColumns } from '../columns.js';
import type { RejectedRow } from '../ports.js';
import { hasShape } from '../run-directory/stored-shape.js';

const isRejectedRow = (value: unknown): value is RejectedRow =>
  hasShape(value, { index: 'number', reason: 'string', message: 'string' });

/** What the fleet found of some rows of a chunk. */
export interface ResultPart {
  /** Index of each row among the chunk's accepted rows, `[rows]`. */
  readonly rows: Int32Array;
  /** In the order of `rows`. */
  readonly labels: LabelColumns;
  /** Tokens of each row, special ones included, `[rows]`: a row may be in several parts, and counts once. */
  readonly lengths: Int32Array;
  /** 1 where a row was cut to the maximum length, `[rows]`. */
  readonly truncated: Uint8Array;
  /** Rows of the chunk that cannot be labelled; they are not among `rows`. */
  readonly rejected: readonly RejectedRow[];
}

/** Bytes that are no part, or not one of this chunk. */
export class ResultPartError extends Error {
  override readonly name = 'ResultPartError';
}

/** `slr` and the version of the format. */
const MAGIC = 0x736c7201;
const HEADER_BYTES = 16;

/** Bytes of a row: its index, length, uncertainty and probabilities; its label; its exit layer, whether it was cut. */
const rowBytes = (classes: number): number => 4 + 4 + 4 + 4 * classes + 2 + 1 + 1;

/** Little-endian; the columns back to back, widest first; then the rejected rows as JSON. */
export function encodePart({ rows, labels, lengths, truncated, rejected }: ResultPart): Buffer {
  const { classes } = labels;
  const rejects = rejected.length === 0 ? Buffer.alloc(0) : Buffer.from(JSON.stringify(rejected));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(rows.length, 4);
  header.writeUInt32LE(classes, 8);
  header.writeUInt32LE(rejects.length, 12);
  return Buffer.concat([
    header,
    ...[
      rows,
      lengths,
      labels.uncertainty,
      labels.probabilities,
      labels.label,
      labels.exitLayer,
      truncated,
    ].map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
    rejects,
  ]);
}

/** @throws ResultPartError */
export function decodePart(bytes: Uint8Array): ResultPart {
  // A copy, so that the columns begin where their elements may.
  const own = Buffer.from(Uint8Array.from(bytes).buffer);
  if (own.length < HEADER_BYTES || own.readUInt32LE(0) !== MAGIC) {
    throw new ResultPartError(`Expected results of a chunk; got ${own.length} bytes that are none.`);
  }
  const [count, classes] = [own.readUInt32LE(4), own.readUInt32LE(8)];
  const rejects = own.readUInt32LE(12);
  const expected = HEADER_BYTES + count * rowBytes(classes) + rejects;
  if (own.length !== expected) {
    throw new ResultPartError(
      `Expected ${expected} bytes of ${count} rows and ${classes} classes; got ${own.length}.`,
    );
  }
  let at = HEADER_BYTES;
  const next = (length: number, width: number): [ArrayBuffer, number, number] => {
    const column: [ArrayBuffer, number, number] = [own.buffer, at, length];
    at += length * width;
    return column;
  };
  const rows = new Int32Array(...next(count, 4));
  const lengths = new Int32Array(...next(count, 4));
  const uncertainty = new Float32Array(...next(count, 4));
  const probabilities = new Float32Array(...next(count * classes, 4));
  const label = new Uint16Array(...next(count, 2));
  const exitLayer = new Uint8Array(...next(count, 1));
  const truncated = new Uint8Array(...next(count, 1));
  return {
    rows,
    labels: { rows: count, classes, label, exitLayer, uncertainty, probabilities },
    lengths,
    truncated,
    rejected: rejects === 0 ? [] : rejectedRows(own.toString('utf8', own.length - rejects)),
  };
}

function rejectedRows(json: string): RejectedRow[] {
  const rows: unknown = JSON.parse(json);
  if (Array.isArray(rows) && rows.every(isRejectedRow)) return rows;
  throw new ResultPartError('Expected the rejected rows of a chunk; got other JSON.');
}
