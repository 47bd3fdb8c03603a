import type { Activation, ExitColumns, LabelColumns, TokenColumns } from '../columns.js';
import { emptyLabels } from '../label-columns.js';

/** Token columns that no model of this layout can label. */
export class TokenColumnsError extends Error {
  override readonly name = 'TokenColumnsError';
}

/** Rows on their way into a stage. */
export interface StageInput {
  readonly tokens: TokenColumns;
  /** What an earlier stage, elsewhere, made of the rows; absent where they enter the first stage. */
  readonly entry?: StageEntry | undefined;
  /** Whether the rows are not to wait for others. */
  readonly urgent?: boolean | undefined;
  /** Aborts when nobody waits for the rows any more: those that do not run yet never do. */
  readonly signal?: AbortSignal | undefined;
}

export interface StageEntry {
  /** 0-based stage that they enter. */
  readonly stage: number;
  /** The rows back to back, `[tokens, hidden size]`. */
  readonly hidden: Activation;
}

/** Rows that left no exit of the stages that they ran through. */
export interface Survivors {
  /** Index of each among the rows that entered, ascending. */
  readonly rows: Int32Array;
  /** In that order, of each row `[S, hidden size]`: views of what its batch left. */
  readonly hidden: readonly Activation[];
}

export interface StageOutcome {
  /** Of all rows; a survivor has none yet. */
  readonly labels: LabelColumns;
  readonly survivors: Survivors;
}

/** The rows of one call, and what the exits have said of them so far. */
export class LabelTask {
  readonly tokens: TokenColumns;
  /** From when on its rows have waited, by `performance.now()`. */
  readonly since: number;
  /** Settles when the last row has left or survived, or with the error given to `fail`. */
  readonly outcome: Promise<StageOutcome>;
  readonly #columns: LabelColumns;
  readonly #survivors: { readonly row: number; readonly hidden: Activation }[] = [];
  #waiting: number;
  #resolve!: (outcome: StageOutcome) => void;
  #reject!: (error: Error) => void;

  constructor({ tokens, urgent = false }: StageInput, classes: number) {
    const rows = tokens.offsets.length - 1;
    this.tokens = tokens;
    this.since = urgent ? Number.NEGATIVE_INFINITY : performance.now();
    this.#waiting = rows;
    this.#columns = emptyLabels(rows, classes);
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (rows === 0) this.#end();
  }

  /** Whether every row has left or survived. */
  get complete(): boolean {
    return this.#waiting === 0;
  }

  /** The rows by their number of tokens. @throws TokenColumnsError for a row without tokens */
  rowsByLength(): Map<number, Int32Array> {
    const lists = new Map<number, number[]>();
    const { offsets } = this.tokens;
    for (let row = 0; row < offsets.length - 1; row++) {
      const length = (offsets[row + 1] ?? 0) - (offsets[row] ?? 0);
      if (length <= 0)
        throw new TokenColumnsError(`Expected at least one token in row ${row}; got ${length}.`);
      const list = lists.get(length);
      if (list === undefined) lists.set(length, [row]);
      else list.push(row);
    }
    return new Map([...lists].map(([length, rows]) => [length, Int32Array.from(rows)]));
  }

  /** Takes the answer of the exit where a row leaves: entry `at` of the exit's columns. Once for each row. */
  leave(row: number, exit: ExitColumns, at: number): void {
    const { classes, label, exitLayer, uncertainty, probabilities } = this.#columns;
    const answer = exit.probabilities.subarray(at * classes, (at + 1) * classes);
    probabilities.set(answer, row * classes);
    label[row] = firstMaximum(answer);
    exitLayer[row] = exit.layer;
    uncertainty[row] = exit.uncertainty[at] ?? Number.NaN;
    this.#settleRow();
  }

  /** Takes the hidden states of a row that left nowhere, `[S, hidden size]`. Once for each row. */
  survive(row: number, hidden: Activation): void {
    this.#survivors.push({ row, hidden });
    this.#settleRow();
  }

  fail(error: Error): void {
    this.#reject(error);
  }

  #settleRow(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#end();
  }

  #end(): void {
    const survivors = this.#survivors.sort((a, b) => a.row - b.row);
    this.#resolve({
      labels: this.#columns,
      survivors: {
        rows: Int32Array.from(survivors, ({ row }) => row),
        hidden: survivors.map(({ hidden }) => hidden),
      },
    });
  }
}

function firstMaximum(values: Float32Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) {
    if ((values[index] ?? 0) > (values[best] ?? 0)) best = index;
  }
  return best;
}
