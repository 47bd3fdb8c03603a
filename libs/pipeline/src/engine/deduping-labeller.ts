import type { LabelColumns, TokenColumns } from '../columns.js';
import { copyLabel } from '../label-columns.js';
import type { RowLabeller, Telemetry } from '../ports.js';
import { lookUpRows } from './look-up-rows.js';
import { ANSWERED, RowMemory } from './row-memory.js';
import { selectRows } from './select-rows.js';

export interface DedupingOptions {
  /** Bytes of the rows that are remembered; default 32 MiB. */
  readonly bytes?: number | undefined;
  /** Hears of the rows that need not be computed. */
  readonly telemetry?: Pick<Telemetry, 'rowsLeft'> | undefined;
}

/**
 * Computes rows of the same tokens once. A label is a function of the tokens alone, so the answer to one row is the
 * answer to all. A row waits only for calls before its own, and none of those for it.
 */
export class DedupingLabeller implements RowLabeller {
  readonly #inner: RowLabeller;
  readonly #classes: number;
  readonly #telemetry: DedupingOptions['telemetry'];
  readonly #memory: RowMemory;
  /** What the calls compute that are not done, by the number of the call. */
  readonly #computing = new Map<number, Promise<LabelColumns>>();
  #calls = 0;
  #rowsRepeated = 0;

  constructor(inner: RowLabeller, classes: number, options: DedupingOptions = {}) {
    const { bytes = 32 * 2 ** 20, telemetry } = options;
    this.#inner = inner;
    this.#classes = classes;
    this.#telemetry = telemetry;
    this.#memory = new RowMemory(bytes, classes);
  }

  get rowsRepeated(): number {
    return this.#rowsRepeated;
  }

  /** @throws what the inner labeller throws, to every call with a row that waits for the answer */
  async label(tokens: TokenColumns): Promise<LabelColumns> {
    const call = (this.#calls += 1);
    const { labels, calls, at, fresh, entries } = lookUpRows(tokens, call, this.#memory, this.#classes);
    if (fresh.length === at.length) return this.#compute(call, tokens, entries);
    if (fresh.length > 0) void this.#compute(call, selectRows(tokens, fresh), entries);
    await this.#fillIn(labels, calls, at);
    this.#countRepeats(labels, fresh);
    return labels;
  }

  /** Has the inner labeller compute rows, and remembers the answers. @param entries of the rows */
  #compute(call: number, tokens: TokenColumns, entries: readonly number[]): Promise<LabelColumns> {
    const computing = this.#remember(this.#inner.label(tokens), entries).finally(() =>
      this.#computing.delete(call),
    );
    this.#computing.set(call, computing);
    return computing;
  }

  async #remember(computing: Promise<LabelColumns>, entries: readonly number[]): Promise<LabelColumns> {
    try {
      const labels = await computing;
      for (const [row, entry] of entries.entries()) this.#memory.answer(entry, labels, row);
      return labels;
    } catch (error) {
      for (const entry of entries) this.#memory.forget(entry);
      throw error;
    }
  }

  /** Waits for the calls that compute rows of this one, and takes their answers. */
  async #fillIn(labels: LabelColumns, calls: Int32Array, at: Int32Array): Promise<void> {
    const awaited = [...new Set(calls)].filter((call) => call !== ANSWERED);
    const computed = new Map<number, LabelColumns>();
    await Promise.all(awaited.map(async (call) => computed.set(call, await this.#computing.get(call)!)));
    for (const [row, call] of calls.entries()) {
      const source = computed.get(call);
      if (source !== undefined) copyLabel(source, at[row]!, labels, row);
    }
  }

  #countRepeats({ rows, exitLayer }: LabelColumns, fresh: readonly number[]): void {
    const left = new Map<number, number>();
    const computed = new Set(fresh);
    for (let row = 0; row < rows; row++) {
      if (!computed.has(row)) left.set(exitLayer[row]!, (left.get(exitLayer[row]!) ?? 0) + 1);
    }
    for (const [layer, count] of left) this.#telemetry?.rowsLeft(layer, count);
    this.#rowsRepeated += rows - fresh.length;
  }
}
