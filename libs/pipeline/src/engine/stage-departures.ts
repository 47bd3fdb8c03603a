import type { StageResult } from '../ports.js';

/** A stage graph that loses or doubles rows, or has other exits than the layout says. */
export class StageContractError extends Error {
  override readonly name = 'StageContractError';
}

export const SURVIVED = -1;
const UNSEEN = -2;

/** Where the rows of a batch leave a stage. */
export interface Departures {
  /** Index of the exit within the stage, or `SURVIVED`, `[B]`. */
  readonly exit: Int16Array;
  /** Entry in the columns of that exit, or of the survivors, `[B]`. */
  readonly at: Int32Array;
}

/**
 * Reads a stage's result: a row leaves at the first exit whose uncertainty is below the exit's threshold, in
 * float32 as the graph compares; the last exit of the model takes every row. The rest must be the survivors.
 *
 * @param rows B
 * @param policy threshold of each exit, `[exits in the stage]`
 * @param isLast whether the stage is the last of the model
 * @throws StageContractError unless each row leaves once or survives
 */
export function readDepartures(
  result: StageResult,
  rows: number,
  policy: Float32Array,
  isLast: boolean,
): Departures {
  if (result.exits.length !== policy.length) {
    throw new StageContractError(`Expected ${policy.length} exits of the stage; got ${result.exits.length}.`);
  }
  const departures = { exit: new Int16Array(rows).fill(UNSEEN), at: new Int32Array(rows) };
  let seen = 0;
  const place = (row: number, exit: number, at: number): void => {
    if (departures.exit[row] !== UNSEEN) {
      throw new StageContractError(
        `Expected row ${row} of ${rows} to leave or survive once; got it twice or more.`,
      );
    }
    departures.exit[row] = exit;
    departures.at[row] = at;
    seen += 1;
  };
  for (const [index, exit] of result.exits.entries()) {
    const takesAll = isLast && index === policy.length - 1;
    const threshold = policy[index] ?? 0;
    for (const [at, row] of exit.rows.entries()) {
      if (takesAll || (exit.uncertainty[at] ?? Number.NaN) < threshold) place(row, index, at);
    }
  }
  for (const [at, row] of result.survivors.rows.entries()) place(row, SURVIVED, at);
  if (seen !== rows) throw new StageContractError(`Expected ${rows} rows to leave or survive; got ${seen}.`);
  return departures;
}
