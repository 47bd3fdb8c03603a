import type { TokenColumns } from '../columns.js';
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

/** Rows that enter a later stage, one by one, with views of their activations: they are copied once, into their batch. */
export function* rowsWithHidden(
  { hidden }: StageEntry,
  { offsets, ids }: TokenColumns,
  { tasks, rows }: PooledRows,
): Generator<PooledRows> {
  const width = hidden.length / ids.length;
  for (const [at, row] of rows.entries()) {
    yield {
      tasks: tasks.subarray(at, at + 1),
      rows: rows.subarray(at, at + 1),
      hidden: hidden.subarray((offsets[row] ?? 0) * width, (offsets[row + 1] ?? 0) * width),
    };
  }
}
