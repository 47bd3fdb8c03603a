import { joinActivations } from '../engine/join-activations.js';
import type { StageEntry, StageInput, StageOutcome } from '../engine/label-task.js';
import type { RowMemory } from '../engine/row-memory.js';
import { ANSWERED, hashOfRow } from '../engine/row-memory.js';
import { selectRows } from '../engine/select-rows.js';
import type { LabelColumns, TokenColumns } from '../columns.js';
import { copyLabel, emptyLabels } from '../label-columns.js';
import type { StageRows } from './policy-engines.js';
import type { RowMemories } from './row-memories.js';

/** A row whose answer was in the memory. */
const KNOWN = -1;

/** What is to be done about the rows of a call. */
interface Looked {
  /** With the answers that were known. */
  readonly labels: LabelColumns;
  /** Index of each row, or of the one that it is like, among the rows that are run; or `KNOWN`, `[rows]`. */
  readonly at: Int32Array;
  /** The rows that are run. */
  readonly fresh: readonly number[];
  /** Entry of each of those in the memory; 0 where another call is to answer it, or it is too long. */
  readonly entries: readonly number[];
}

/**
 * Runs rows of the same tokens once, while they are remembered. What stages make of a row is a function of its tokens
 * alone: the answer of one is the answer of all, and where one goes on to the next stage, so do all. Rows of different
 * calls that are under way together wait for nothing of one another, since either call may be given up; they are run twice.
 */
export class RememberingStages implements StageRows {
  readonly #stages: StageRows;
  readonly #memories: RowMemories;
  readonly #classes: number;
  readonly #onRepeated: (stage: number, rows: number) => void;
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
    const looked = this.#look(input.tokens, memory);
    const { fresh, entries, at } = looked;
    const isAllFresh = fresh.length === at.length;
    try {
      const outcome =
        fresh.length === 0 ? undefined : await this.#stages.run(isAllFresh ? input : inputOf(input, fresh));
      if (outcome !== undefined) remember(outcome, entries, memory);
      if (outcome !== undefined && isAllFresh) return outcome;
      this.#onRepeated(input.entry?.stage ?? 0, at.length - fresh.length);
      return outcomeOfAll(looked, outcome);
    } catch (error) {
      for (const entry of entries) memory.forget(entry);
      throw error;
    }
  }

  #look(tokens: TokenColumns, memory: RowMemory): Looked {
    const call = (this.#calls += 1);
    const rows = tokens.offsets.length - 1;
    const labels = emptyLabels(rows, this.#classes);
    const at = new Int32Array(rows);
    const fresh: number[] = [];
    const entries: number[] = [];
    for (let row = 0; row < rows; row += 1) {
      const hash = hashOfRow(tokens, row);
      const entry = memory.find(tokens, row, hash);
      const whose = entry === 0 ? undefined : memory.callOf(entry);
      if (whose === ANSWERED) {
        memory.copyAnswer(entry, labels, row);
        at[row] = KNOWN;
      } else if (whose === call) {
        at[row] = memory.rowOf(entry);
      } else {
        at[row] = fresh.length;
        entries.push(whose === undefined ? memory.add(tokens, row, hash, call, fresh.length) : 0);
        fresh.push(row);
      }
    }
    return { labels, at, fresh, entries };
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

/** Takes the answers of the rows that left; those that go on have none here. */
function remember({ labels, survivors }: StageOutcome, entries: readonly number[], memory: RowMemory): void {
  const survives = new Set(survivors.rows);
  for (const [index, entry] of entries.entries()) {
    if (survives.has(index)) memory.forget(entry);
    else memory.answer(entry, labels, index);
  }
}

/** @param outcome of the rows that were run */
function outcomeOfAll({ labels, at }: Looked, outcome: StageOutcome | undefined): StageOutcome {
  const rows: number[] = [];
  const hidden: StageOutcome['survivors']['hidden'][number][] = [];
  const survivor = new Map(Array.from(outcome?.survivors.rows ?? [], (index, place) => [index, place]));
  for (const [row, index] of at.entries()) {
    if (index === KNOWN || outcome === undefined) continue;
    const place = survivor.get(index);
    if (place === undefined) copyLabel(outcome.labels, index, labels, row);
    else {
      rows.push(row);
      hidden.push(outcome.survivors.hidden[place]!);
    }
  }
  return { labels, survivors: { rows: Int32Array.from(rows), hidden } };
}
