import type { LabelColumns, TokenColumns } from '../columns.js';
import { emptyLabels } from '../label-columns.js';
import type { RowMemory } from './row-memory.js';
import { ANSWERED, hashOfRow } from './row-memory.js';

/** What a memory knows of the rows of a call, and what is to be computed. */
export interface LookedUp {
  /** With the answers that were known. */
  readonly labels: LabelColumns;
  /** The call that computes each row, or one that it is like; `ANSWERED` where the answer was known, `[rows]`. */
  readonly calls: Int32Array;
  /** Index of that row among those that the call computes, `[rows]`. */
  readonly at: Int32Array;
  /** The rows that this call is to compute. */
  readonly fresh: readonly number[];
  /** Entry of each of those in the memory; 0 for one that is too long. */
  readonly entries: readonly number[];
}

/** Looks for the rows of a call, and adds those that are new. @param call its number, from 1 */
export function lookUpRows(tokens: TokenColumns, call: number, memory: RowMemory, classes: number): LookedUp {
  const rows = tokens.offsets.length - 1;
  const labels = emptyLabels(rows, classes);
  const calls = new Int32Array(rows);
  const at = new Int32Array(rows);
  const fresh: number[] = [];
  const entries: number[] = [];
  for (let row = 0; row < rows; row += 1) {
    const hash = hashOfRow(tokens, row);
    const entry = memory.find(tokens, row, hash);
    if (entry === 0) {
      calls[row] = call;
      at[row] = fresh.length;
      entries.push(memory.add(tokens, row, hash, call, fresh.length));
      fresh.push(row);
    } else {
      calls[row] = memory.callOf(entry);
      at[row] = memory.rowOf(entry);
      if (calls[row] === ANSWERED) memory.copyAnswer(entry, labels, row);
    }
  }
  return { labels, calls, at, fresh, entries };
}
