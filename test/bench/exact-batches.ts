import type { TokenColumns } from '#pipeline/columns.js';
import { LengthPool } from '#pipeline/engine/length-pool.js';

/** A batch at full depth: rows of one exact length. */
export interface ExactBatch {
  readonly rows: number;
  /** Tokens of each row. */
  readonly length: number;
}

/** The batches that the stage engine makes of rows that all go through one stage, from its own pool. */
export function exactBatches({ offsets }: TokenColumns, batchTokens: number): ExactBatch[] {
  const byLength = new Map<number, number[]>();
  for (let row = 0; row + 1 < offsets.length; row++) {
    const length = offsets[row + 1]! - offsets[row]!;
    const rows = byLength.get(length);
    if (rows === undefined) byLength.set(length, [row]);
    else rows.push(row);
  }
  const pool = new LengthPool(batchTokens);
  for (const [length, rows] of byLength) {
    pool.add(length, { tasks: new Int32Array(rows.length), rows: Int32Array.from(rows) });
  }
  const batches: ExactBatch[] = [];
  for (let next = pool.largest(); next !== undefined; next = pool.largest()) {
    batches.push({ rows: pool.take(next.length).rows.length, length: next.length });
  }
  return batches;
}
