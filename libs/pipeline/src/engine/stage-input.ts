import type { Activation, TokenColumns } from '../columns.js';
import type { StageEntry } from './label-task.js';
import type { PooledRows } from './length-pool.js';
import type { StageBatch } from '../ports.js';

/**
 * Copies the token ids of rows of one length side by side: `[B, S]`, and the segments where the rows have them.
 * @param tokensOf the columns of a task, by its number
 */
export function gatherIds(
  { tasks, rows }: PooledRows,
  length: number,
  tokensOf: (task: number) => TokenColumns | undefined,
): StageBatch['input'] {
  const ids = new Int32Array(rows.length * length);
  let segments: Int32Array | undefined;
  for (const [index, row] of rows.entries()) {
    const tokens = tokensOf(tasks[index] ?? -1);
    const start = tokens?.offsets[row];
    if (tokens === undefined || start === undefined) throw new RangeError(`Row ${row} belongs to no task.`);
    ids.set(tokens.ids.subarray(start, start + length), index * length);
    if (tokens.segments === undefined) continue;
    segments ??= new Int32Array(ids.length);
    segments.set(tokens.segments.subarray(start, start + length), index * length);
  }
  return { kind: 'ids', ids, segments };
}

/** The activations of some rows of one length, in a buffer of their own. */
export function gatherHidden(
  { hidden }: StageEntry,
  { offsets, ids }: TokenColumns,
  rows: Int32Array,
  length: number,
): Activation {
  const width = hidden.length / ids.length;
  const size = rows.length * length * width;
  const gathered = hidden instanceof Float32Array ? new Float32Array(size) : new Uint16Array(size);
  for (const [at, row] of rows.entries()) {
    const start = (offsets[row] ?? 0) * width;
    gathered.set(hidden.subarray(start, start + length * width), at * length * width);
  }
  return gathered;
}
