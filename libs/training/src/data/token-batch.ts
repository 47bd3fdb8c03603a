/** Rows of tokens, each as long as the longest. */
export interface TokenBatch {
  /** Which rows of the corpus they are, `[B]`. */
  readonly rows: Int32Array;
  /** `[B·S]`, 0 behind a row's end. */
  readonly ids: Int32Array;
  /** `[B·S]`, of pairs. */
  readonly segments: Int32Array | undefined;
  /** Tokens of each row, `[B]`. */
  readonly lengths: Int32Array;
  /** S. */
  readonly longest: number;
}

/** The tokens of a corpus, row after row. */
export interface TokenRows {
  readonly ids: Int32Array;
  /** Parallel to `ids`; of pairs. */
  readonly segments: Int32Array | undefined;
  /** `[rows + 1]`: where each row's tokens begin, and where the last one's end. */
  readonly starts: Int32Array;
}

/** Puts rows into one batch. */
export function tokenBatch({ ids, segments, starts }: TokenRows, rows: Int32Array): TokenBatch {
  const lengths = rows.map((row) => starts[row + 1]! - starts[row]!);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const padded = new Int32Array(rows.length * longest);
  const paddedSegments = segments && new Int32Array(rows.length * longest);
  for (const [index, row] of rows.entries()) {
    const [start, end] = [starts[row]!, starts[row + 1]!];
    padded.set(ids.subarray(start, end), index * longest);
    if (segments !== undefined) paddedSegments?.set(segments.subarray(start, end), index * longest);
  }
  return { rows, ids: padded, segments: paddedSegments, lengths, longest };
}
