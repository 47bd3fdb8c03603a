import type { LengthShare } from './batch-fill.js';

/** Rows of one length. */
export interface LengthCount {
  /** Tokens of a row. */
  readonly length: number;
  readonly rows: number;
}

/** What a sample of the corpus has shown of its rows. */
export interface Pilot {
  /** Rows that were labelled. */
  readonly rows: number;
  /** With the special ones. */
  readonly tokensPerRow: number;
  readonly textBytesPerRow: number;
  /** Rows that left at each exit, ascending by layer. */
  readonly exits: readonly { readonly layer: number; readonly rows: number }[];
  /** Of the rows that entered each stage, `[stages]`; absent where only their mean is known. */
  readonly lengths?: readonly (readonly LengthCount[])[] | undefined;
}

/** What one inference thread takes, in seconds of a processor core (of a graphics card: of time). */
export interface StageTimes {
  readonly tokenizeSecondsPerToken: number;
  /** Of each stage, for a batch whose rows all run through all of its layers: fixed, and for a token. */
  readonly stages: readonly { readonly batchSeconds: number; readonly tokenSeconds: number }[];
  /** Around the model, for a row in a stage: pools, messages, reading what the exits say. */
  readonly handlingSeconds: number;
}

export function lengthShares(counts: readonly LengthCount[]): LengthShare[] {
  const rows = counts.reduce((sum, each) => sum + each.rows, 0);
  return counts.map((each) => ({ length: each.length, share: each.rows / rows }));
}
