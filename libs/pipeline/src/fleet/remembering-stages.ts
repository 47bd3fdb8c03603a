import { joinActivations } from '../engine/join-activations.js';
import type { StageEntry, StageInput, StageOutcome } from '../engine/label-task.js';
import { lookUpRows } from '../engine/look-up-rows.js';
import type { RowMemory } from '../engine/row-memory.js';
import { ANSWERED } from '../engine/row-memory.js';
import { selectRows } from '../engine/select-rows.js';
import type { Activation, LabelColumns, TokenColumns } from '../columns.js';
import { copyLabel } from '../label-columns.js';
import type { StageRows } from './policy-engines.js';
import type { RowMemories } from './row-memories.js';

/** Where a row's answer is, or its activations. */
interface Place {
  readonly outcome: StageOutcome;
  readonly index: number;
}

/**
 * Runs rows of the same tokens once, while they are remembered. What stages make of a row is a function of its tokens
 * alone: the answer of one is the answer of all, and where one goes on to the next stage, so do all. A row that another
 * call is running waits for that; where that call fails, or is given up, it is run by its own.
 */
export class RememberingStages implements StageRows {
  readonly #stages: StageRows;
  readonly #memories: RowMemories;
  readonly #classes: number;
  readonly #onRepeated: (stage: number, rows: number) => void;
  /** What is being run, by the number of the call. Nothing here waits for another. */
  readonly #running = new Map<number, Promise<StageOutcome>>();
  #calls = 0;

  /** @param onRepeated hears of rows that need not be run, and the 0-based stage that they were to enter */
  constructor(
    stages: StageRows,
    memories: RowMemories,
    classes: number,
    onRepeated: (stage: number, rows: number) => void,
  ) {
    this.#stages = stages;
    this.#memories = memories;
    this.#classes = classes;
    this.#onRepeated = onRepeated;
  }

  async run(input: StageInput): Promise<StageOutcome> {
    // A few texts that somebody waits for would push out what a run remembers.
    if (input.urgent === true) return this.#stages.run(input);
    const memory = this.#memories.of(this);
    const call = (this.#calls += 1);
    const { labels, calls, at, fresh, entries } = lookUpRows(input.tokens, call, memory, this.#classes);
    if (fresh.length === at.length) return this.#begin(call, input, entries, memory);
    if (fresh.length > 0) void this.#begin(call, inputOf(input, fresh), entries, memory);
    const outcomes = await this.#outcomesOf(new Set(calls), call);
    const isLeft = (row: number): boolean => calls[row] !== ANSWERED && !outcomes.has(calls[row]!);
    const left = Array.from(calls.keys()).filter(isLeft);
    this.#onRepeated(input.entry?.stage ?? 0, at.length - fresh.length - left.length);
    if (left.length > 0) input.signal?.throwIfAborted();
    const again = left.length === 0 ? undefined : await this.run(inputOf(input, left));
    let place = 0;
    const placeOf = (row: number): Place | undefined => {
      if (calls[row] === ANSWERED) return undefined;
      const outcome = outcomes.get(calls[row]!);
      return outcome === undefined ? { outcome: again!, index: place++ } : { outcome, index: at[row]! };
    };
    return joined(labels, Array.from(calls.keys(), placeOf));
  }

  /** Has rows run, and takes the answers. @param entries of the rows */
  #begin(
    call: number,
    input: StageInput,
    entries: readonly number[],
    memory: RowMemory,
  ): Promise<StageOutcome> {
    const running = remembered(this.#stages.run(input), entries, memory).finally(() =>
      this.#running.delete(call),
    );
    // Who waits for it hears of it.
    running.catch(() => undefined);
    this.#running.set(call, running);
    return running;
  }

  /** What calls came to, but for those that failed. @throws what the own call throws */
  async #outcomesOf(calls: ReadonlySet<number>, own: number): Promise<Map<number, StageOutcome>> {
    const outcomes = new Map<number, StageOutcome>();
    await Promise.all(
      Array.from(calls, async (call) => {
        const running = this.#running.get(call);
        const outcome = await (call === own ? running : running?.catch(() => undefined));
        if (outcome !== undefined) outcomes.set(call, outcome);
      }),
    );
    return outcomes;
  }
}

async function remembered(
  running: Promise<StageOutcome>,
  entries: readonly number[],
  memory: RowMemory,
): Promise<StageOutcome> {
  try {
    const { labels, survivors } = await running;
    const survives = new Set(survivors.rows);
    for (const [index, entry] of entries.entries()) {
      // Where a row goes on, there is no answer yet.
      if (survives.has(index)) memory.forget(entry);
      else memory.answer(entry, labels, index);
    }
    return { labels, survivors };
  } catch (error) {
    for (const entry of entries) memory.forget(entry);
    throw error;
  }
}

/** Some rows of a call, in the order given. */
function inputOf(input: StageInput, rows: readonly number[]): StageInput {
  const { tokens, entry } = input;
  return { ...input, tokens: selectRows(tokens, rows), entry: entry && entryOf(entry, tokens, rows) };
}

function entryOf(
  { stage, hidden }: StageEntry,
  { offsets, ids }: TokenColumns,
  rows: readonly number[],
): StageEntry {
  const width = hidden.length / ids.length;
  const views = rows.map((row) => hidden.subarray(offsets[row]! * width, offsets[row + 1]! * width));
  return { stage, hidden: joinActivations(views)! };
}

/** @param labels with the answers that were known @param places of all other rows */
function joined(labels: LabelColumns, places: readonly (Place | undefined)[]): StageOutcome {
  const rows: number[] = [];
  const hidden: Activation[] = [];
  const survivors = new Map<StageOutcome, Map<number, number>>();
  for (const [row, found] of places.entries()) {
    if (found === undefined) continue;
    const { outcome, index } = found;
    const own =
      survivors.get(outcome) ?? new Map(Array.from(outcome.survivors.rows, (each, at) => [each, at]));
    survivors.set(outcome, own);
    const at = own.get(index);
    if (at === undefined) copyLabel(outcome.labels, index, labels, row);
    else {
      rows.push(row);
      hidden.push(outcome.survivors.hidden[at]!);
    }
  }
  return { labels, survivors: { rows: Int32Array.from(rows), hidden } };
}
