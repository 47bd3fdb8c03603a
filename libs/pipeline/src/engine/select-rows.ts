import type { TokenColumns } from '../columns.js';

/** The columns of some of the rows, in the order given. */
export function selectRows(tokens: TokenColumns, rows: readonly number[]): TokenColumns {
  const offsets = new Int32Array(rows.length + 1);
  for (const [index, row] of rows.entries()) {
    offsets[index + 1] = offsets[index]! + tokens.offsets[row + 1]! - tokens.offsets[row]!;
  }
  const select = (column: Int32Array): Int32Array => {
    const selected = new Int32Array(offsets[rows.length]!);
    for (const [index, row] of rows.entries()) {
      selected.set(column.subarray(tokens.offsets[row], tokens.offsets[row + 1]), offsets[index]);
    }
    return selected;
  };
  return {
    ids: select(tokens.ids),
    segments: tokens.segments && select(tokens.segments),
    offsets,
    truncated: Uint8Array.from(rows, (row) => tokens.truncated[row]!),
  };
}

/** Tokens of each row, `[rows]`. */
export function rowLengths({ offsets, truncated }: TokenColumns): Int32Array {
  return Int32Array.from(truncated, (_, row) => offsets[row + 1]! - offsets[row]!);
}
