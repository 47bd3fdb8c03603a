import type { Activation } from '../columns.js';
import { joinActivations } from './join-activations.js';

/** Rows of one length at the entrance of a stage, as columns. */
export interface PooledRows {
  /** Number of the task that a row belongs to, `[n]`. */
  readonly tasks: Int32Array;
  /** Index of the row within its task, `[n]`. */
  readonly rows: Int32Array;
  /** `[n, S, hidden size]`; absent before the first stage. */
  readonly hidden?: Activation | undefined;
}

interface Bucket {
  readonly parts: PooledRows[];
  rows: number;
}

/**
 * The rows that wait at one stage, in a bucket for each exact length, so that batches need no padding.
 * Rows leave a bucket in the order in which they came.
 */
export class LengthPool {
  readonly #buckets = new Map<number, Bucket>();
  readonly #full = new Set<number>();
  readonly #batchTokens: number;
  #bytes = 0;

  /** @param batchTokens the most tokens of a batch; a longer row is a batch by itself */
  constructor(batchTokens: number) {
    this.#batchTokens = batchTokens;
  }

  /** Bytes of the activations that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Rows of the next batch of a length. */
  batchRows(length: number): number {
    return Math.min(this.#capacity(length), this.#buckets.get(length)?.rows ?? 0);
  }

  add(length: number, rows: PooledRows): void {
    // Survivors of a batch may be of both kinds.
    for (const part of isMixed(rows) ? [urgentOf(rows), othersOf(rows)] : [rows]) this.#add(length, part);
  }

  #add(length: number, rows: PooledRows): void {
    if (rows.rows.length === 0) return;
    const bucket = this.#buckets.get(length) ?? { parts: [], rows: 0 };
    if (isUrgent(rows)) bucket.parts.splice(urgentParts(bucket), 0, rows);
    else bucket.parts.push(rows);
    bucket.rows += rows.rows.length;
    this.#bytes += rows.hidden?.byteLength ?? 0;
    this.#keep(length, bucket);
  }

  /** Removes the next batch of a length: as many rows as fit, at least one. The bucket must not be empty. */
  take(length: number): PooledRows {
    const bucket = this.#buckets.get(length);
    if (bucket === undefined) throw new RangeError(`No row of ${length} tokens waits.`);
    const parts: PooledRows[] = [];
    let missing = this.batchRows(length);
    bucket.rows -= missing;
    while (missing > 0) {
      const part = bucket.parts.shift();
      if (part === undefined) throw new RangeError(`A bucket of ${length} tokens miscounts its rows.`);
      const taken = Math.min(missing, part.rows.length);
      parts.push(partOf(part, 0, taken));
      if (taken < part.rows.length) bucket.parts.unshift(joinRows([partOf(part, taken, part.rows.length)]));
      missing -= taken;
    }
    this.#keep(length, bucket);
    const batch = joinRows(parts);
    this.#bytes -= batch.hidden?.byteLength ?? 0;
    return batch;
  }

  /** A length with a full batch, the one that has been full the longest. */
  full(): number | undefined {
    return this.#full.values().next().value;
  }

  /** The length with the most tokens waiting. */
  largest(): { readonly length: number; readonly tokens: number } | undefined {
    let largest: { length: number; tokens: number } | undefined;
    for (const [length, { rows }] of this.#buckets) {
      if (rows * length > (largest?.tokens ?? 0)) largest = { length, tokens: rows * length };
    }
    return largest;
  }

  /** The length whose first row belongs to the oldest task. */
  oldest(): { readonly length: number; readonly task: number } | undefined {
    let oldest: { length: number; task: number } | undefined;
    for (const [length, { parts }] of this.#buckets) {
      const task = parts[0]?.tasks[0];
      if (task !== undefined && task < (oldest?.task ?? Infinity)) oldest = { length, task };
    }
    return oldest;
  }

  /** Forgets the rows of given tasks. */
  drop(tasks: ReadonlySet<number>): void {
    for (const [length, { parts }] of this.#buckets) {
      const bucket: Bucket = { parts: [], rows: 0 };
      for (const part of parts) {
        const kept = keepRows(part, (task) => !tasks.has(task));
        this.#bytes -= (part.hidden?.byteLength ?? 0) - (kept.hidden?.byteLength ?? 0);
        bucket.rows += kept.rows.length;
        if (kept.rows.length > 0) bucket.parts.push(kept);
      }
      this.#keep(length, bucket);
    }
  }

  #keep(length: number, bucket: Bucket): void {
    if (bucket.rows === 0) this.#buckets.delete(length);
    else this.#buckets.set(length, bucket);
    if (bucket.rows < this.#capacity(length)) this.#full.delete(length);
    else this.#full.add(length);
  }

  #capacity(length: number): number {
    return Math.max(1, Math.floor(this.#batchTokens / length));
  }
}

/** Below zero are the tasks that somebody waits for. */
export const isUrgentTask = (task: number): boolean => task < 0;
/** Of rows of one kind. */
const isUrgent = ({ tasks }: PooledRows): boolean => isUrgentTask(tasks[0] ?? 0);
const isMixed = (rows: PooledRows): boolean =>
  rows.tasks.some((task) => isUrgentTask(task) !== isUrgent(rows));
const urgentOf = (rows: PooledRows): PooledRows => keepRows(rows, isUrgentTask);
const othersOf = (rows: PooledRows): PooledRows => keepRows(rows, (task) => !isUrgentTask(task));

function urgentParts({ parts }: Bucket): number {
  const others = parts.findIndex((part) => !isUrgent(part));
  return others < 0 ? parts.length : others;
}

/** A view of rows `start` to `end`. */
function partOf(from: PooledRows, start: number, end: number): PooledRows {
  const width = from.hidden === undefined ? 0 : from.hidden.length / from.rows.length;
  return {
    tasks: from.tasks.subarray(start, end),
    rows: from.rows.subarray(start, end),
    hidden: from.hidden?.subarray(start * width, end * width),
  };
}

function keepRows(from: PooledRows, keeps: (task: number) => boolean): PooledRows {
  const kept: PooledRows[] = [];
  for (const [index, task] of from.tasks.entries())
    if (keeps(task)) kept.push(partOf(from, index, index + 1));
  return kept.length === from.rows.length ? from : joinRows(kept);
}

/** The rows of several parts, with activations in a buffer of their own: a batch is moved, and a view pins the whole. */
function joinRows(parts: readonly PooledRows[]): PooledRows {
  const rows = parts.reduce((sum, part) => sum + part.rows.length, 0);
  const joined = {
    tasks: new Int32Array(rows),
    rows: new Int32Array(rows),
    hidden: joinActivations(parts.flatMap(({ hidden }) => (hidden === undefined ? [] : [hidden]))),
  };
  let at = 0;
  for (const part of parts) {
    joined.tasks.set(part.tasks, at);
    joined.rows.set(part.rows, at);
    at += part.rows.length;
  }
  return joined;
}
