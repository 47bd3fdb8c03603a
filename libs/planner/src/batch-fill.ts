/** Of the rows at the entrance of a stage, those of one length. */
export interface LengthShare {
  /** Tokens of a row. */
  readonly length: number;
  /** Of the rows, 0..1; the shares of all lengths add up to 1. */
  readonly share: number;
}

/** Rows of a full batch; a longer row is a batch by itself. */
const fullBatch = (length: number, batchTokens: number): number =>
  Math.max(1, Math.floor(batchTokens / length));

/**
 * Batches that a row takes on average, 1 ÷ rows of its batch, where so many rows wait at a worker. A batch has rows of one
 * length, and takes those of its length that wait, up to a full one: of n rows about n × share.
 */
export function batchesPerRow(waiting: number, lengths: readonly LengthShare[], batchTokens: number): number {
  let batches = 0;
  for (const { length, share } of lengths) {
    const rows = Math.min(fullBatch(length, batchTokens), Math.max(1, waiting * share));
    batches += share / rows;
  }
  return batches;
}

/** From so many waiting rows on some length has a full batch, so that nothing need wait for more. */
export function rowsOfAFullBatch(lengths: readonly LengthShare[], batchTokens: number): number {
  return Math.min(
    ...lengths
      .filter(({ share }) => share > 0)
      .map(({ length, share }) => fullBatch(length, batchTokens) / share),
  );
}

/** Tokens of a row on average. */
export function meanLength(lengths: readonly LengthShare[]): number {
  return lengths.reduce((sum, { length, share }) => sum + length * share, 0);
}

/**
 * Where only the mean is known: lengths from half of it to one and a half times it, each as often, cut to what the model
 * takes. Batches of one length only would be too full.
 */
export function assumedLengths(mean: number, maxLength: number): LengthShare[] {
  const least = Math.max(1, Math.round(mean / 2));
  const most = Math.max(least, Math.min(maxLength, Math.round(2 * mean) - least));
  const count = most - least + 1;
  return Array.from({ length: count }, (_, index) => ({ length: least + index, share: 1 / count }));
}

/** Steps of the table within a doubling of the waiting rows. */
const STEPS = 4;
const DOUBLINGS = 20;

/** `batchesPerRow` as a table over waiting rows, so that a simulation can ask it millions of times. */
export function batchesPerRowTable(
  lengths: readonly LengthShare[],
  batchTokens: number,
): (waiting: number) => number {
  const table = Float64Array.from({ length: STEPS * DOUBLINGS + 1 }, (_, index) =>
    batchesPerRow(2 ** (index / STEPS), lengths, batchTokens),
  );
  return (waiting) => {
    const index = Math.round(STEPS * Math.log2(Math.max(1, waiting)));
    return table[Math.min(index, table.length - 1)]!;
  };
}
