import { Random } from './random.js';

/** Batches whose rows are sorted by length among each other; the order of what is not among them stays random. */
const BATCHES_SORTED_TOGETHER = 50;

/**
 * Batches of one epoch: rows of about the same length together, each batch of at most `batchTokens` tokens with its
 * padding (a longer row is one of its own), in random order. The same seeds give the same batches.
 *
 * @param lengths tokens of each row, `[rows]`
 * @returns rows of each batch
 */
export function lengthBatches(
  lengths: Int32Array,
  batchTokens: number,
  seeds: readonly number[],
): Int32Array[] {
  const random = new Random(...seeds);
  const order = Int32Array.from(lengths.keys());
  random.shuffle(order);
  let tokens = 0;
  for (const length of lengths) tokens += length;
  const mean = Math.max(1, tokens / Math.max(1, lengths.length));
  const together = Math.max(1, Math.round((BATCHES_SORTED_TOGETHER * batchTokens) / mean));
  const batches: Int32Array[] = [];
  for (let from = 0; from < order.length; from += together) {
    const pool = order.subarray(from, from + together).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
    batches.push(...cut(pool, lengths, batchTokens));
  }
  random.shuffle(batches);
  return batches;
}

/** Cuts rows that ascend by length. */
function cut(rows: Int32Array, lengths: Int32Array, batchTokens: number): Int32Array[] {
  const batches: Int32Array[] = [];
  let start = 0;
  for (let end = 1; end <= rows.length; end++) {
    if (end < rows.length && (end + 1 - start) * lengths[rows[end]!]! <= batchTokens) continue;
    batches.push(rows.slice(start, end));
    start = end;
  }
  return batches;
}
