import type { ExitColumns, LabelColumns, TokenColumns } from '../columns.js';
import { emptyLabels } from '../label-columns.js';

/** Token columns that no model of this layout can label. */
export class TokenColumnsError extends Error {
  override readonly name = 'TokenColumnsError';
}

/** One call of `label`: its rows, and what the exits have said of them so far. */
export class LabelTask {
  readonly tokens: TokenColumns;
  /** Settles when the last row has left, or with the error given to `fail`. */
  readonly labels: Promise<LabelColumns>;
  readonly #columns: LabelColumns;
  #waiting: number;
  #resolve!: (labels: LabelColumns) => void;
  #reject!: (error: Error) => void;

  constructor(tokens: TokenColumns, classes: number) {
    const rows = tokens.offsets.length - 1;
    this.tokens = tokens;
    this.#waiting = rows;
    this.#columns = emptyLabels(rows, classes);
    this.labels = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (rows === 0) this.#resolve(this.#columns);
  }

  /** Whether every row has left. */
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
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#resolve(this.#columns);
  }

  fail(error: Error): void {
    this.#reject(error);
  }
}

function firstMaximum(values: Float32Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) {
    if ((values[index] ?? 0) > (values[best] ?? 0)) best = index;
  }
  return best;
}
