import type { TokenColumns } from '#pipeline/columns.js';

/** Rows of one exact length. */
export interface LengthBatch {
  /** Tokens of each row. */
  readonly length: number;
  /** Row numbers. */
  readonly members: readonly number[];
}

/** Tokens of a batch; about what the processor's caches like. */
const BATCH_TOKENS = 1024;

export function lengthBatches({ offsets }: TokenColumns): LengthBatch[] {
  const byLength = new Map<number, number[]>();
  for (let row = 0; row + 1 < offsets.length; row++) {
    const length = offsets[row + 1]! - offsets[row]!;
    const members = byLength.get(length);
    if (members === undefined) byLength.set(length, [row]);
    else members.push(row);
  }
  return [...byLength].flatMap(([length, members]) => {
    const size = Math.max(1, Math.floor(BATCH_TOKENS / length));
    return Array.from({ length: Math.ceil(members.length / size) }, (_, part) => ({
      length,
      members: members.slice(part * size, (part + 1) * size),
    }));
  });
}

/** A batch's tokens, `[B,S]`; segments where the task has them. */
export function gatherTokens(
  tokens: TokenColumns,
  { length, members }: LengthBatch,
): { ids: Int32Array; segments: Int32Array | undefined } {
  const gather = (column: Int32Array): Int32Array => {
    const gathered = new Int32Array(members.length * length);
    members.forEach((row, at) => {
      const start = tokens.offsets[row]!;
      gathered.set(column.subarray(start, start + length), at * length);
    });
    return gathered;
  };
  return { ids: gather(tokens.ids), segments: tokens.segments && gather(tokens.segments) };
}
