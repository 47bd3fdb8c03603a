import type { LabelColumns, TokenColumns } from '../columns.js';
import { copyLabel, emptyLabels } from '../label-columns.js';

/** Tokens of a row that the memory is laid out for: with longer rows it holds fewer of them. */
const TYPICAL_TOKENS = 64;
/** The call of an entry whose answer is known. */
export const ANSWERED = 0;
/** The length of an entry that nothing is like. */
const FORGOTTEN = -1;

/**
 * Rows that were met, with their answers, within a fixed number of bytes: the oldest leave first.
 *
 * An entry is the number of a row, from 1 in the order in which rows are added; its columns stand in slot entry mod
 * capacity, its tokens in a ring. Rows of one hash are chained from the newest to the oldest, as in LZ77: a chain ends
 * at the first entry that has left, so nothing is ever unlinked.
 */
export class RowMemory {
  readonly #capacity: number;
  /** The newest entry of each place of the hash, 0 where there is none, `[capacity]`. */
  readonly #newest: Float64Array;
  /** The entry of the same place before an entry, `[capacity]`. */
  readonly #before: Float64Array;
  /** `[capacity]`. */
  readonly #hashes: Int32Array;
  /** Where an entry's tokens start, counted from the first token ever added, `[capacity]`. */
  readonly #starts: Float64Array;
  /** Tokens of an entry, `[capacity]`. */
  readonly #lengths: Int32Array;
  /** Ids and segments of the tokens; no row goes round the end. */
  readonly #tokens: Int32Array;
  /** The call that computes an entry's answer, or `ANSWERED`, `[capacity]`. */
  readonly #calls: Int32Array;
  /** Index among the rows that its call computes, `[capacity]`. */
  readonly #rows: Int32Array;
  readonly #labels: LabelColumns;
  #entries = 0;
  #tokensAdded = 0;

  /** @param bytes the most that it may take, touched only as rows come; room for one row at least */
  constructor(bytes: number, classes: number) {
    const entryBytes = 3 * 8 + 4 * 4 + 7 + 4 * classes;
    this.#capacity = Math.max(1, Math.floor(bytes / (entryBytes + 4 * TYPICAL_TOKENS)));
    this.#newest = new Float64Array(this.#capacity);
    this.#before = new Float64Array(this.#capacity);
    this.#hashes = new Int32Array(this.#capacity);
    this.#starts = new Float64Array(this.#capacity);
    this.#lengths = new Int32Array(this.#capacity);
    this.#tokens = new Int32Array(this.#capacity * TYPICAL_TOKENS);
    this.#calls = new Int32Array(this.#capacity);
    this.#rows = new Int32Array(this.#capacity);
    this.#labels = emptyLabels(this.#capacity, classes);
  }

  /** The entry of a row with the same tokens, 0 where none is remembered. */
  find(tokens: TokenColumns, row: number, hash: number): number {
    let entry = this.#newest[this.#placeOf(hash)]!;
    while (this.#holds(entry)) {
      const slot = entry % this.#capacity;
      if (this.#hashes[slot] === hash && this.#isLike(slot, tokens, row)) return entry;
      entry = this.#before[slot]!;
    }
    return 0;
  }

  /**
   * Adds a row that is not there.
   * @param call computes its answer
   * @param at index among the rows that the call computes
   * @returns its entry, 0 for a row that is too long to be remembered
   */
  add(tokens: TokenColumns, row: number, hash: number, call: number, at: number): number {
    const first = tokens.offsets[row]!;
    const length = tokens.offsets[row + 1]! - first;
    const size = this.#tokens.length;
    if (length > size) return 0;
    const place = this.#tokensAdded % size;
    const start = this.#tokensAdded + (place + length > size ? size - place : 0);
    for (let index = 0; index < length; index++) {
      this.#tokens[(start % size) + index] = codeOf(tokens, first + index);
    }
    this.#tokensAdded = start + length;
    const entry = (this.#entries += 1);
    const slot = entry % this.#capacity;
    this.#before[slot] = this.#newest[this.#placeOf(hash)]!;
    this.#newest[this.#placeOf(hash)] = entry;
    this.#hashes[slot] = hash;
    this.#starts[slot] = start;
    this.#lengths[slot] = length;
    this.#calls[slot] = call;
    this.#rows[slot] = at;
    return entry;
  }

  /** The call that computes the answer of an entry just found, or `ANSWERED`. */
  callOf(entry: number): number {
    return this.#calls[entry % this.#capacity]!;
  }

  /** Index of an entry just found among the rows that its call computes. */
  rowOf(entry: number): number {
    return this.#rows[entry % this.#capacity]!;
  }

  /** Copies the answer of an entry just found, whose call is `ANSWERED`. */
  copyAnswer(entry: number, target: LabelColumns, row: number): void {
    copyLabel(this.#labels, entry % this.#capacity, target, row);
  }

  /** Takes the answer of an entry; one that has left needs none. */
  answer(entry: number, source: LabelColumns, row: number): void {
    if (!this.#holds(entry)) return;
    copyLabel(source, row, this.#labels, entry % this.#capacity);
    this.#calls[entry % this.#capacity] = ANSWERED;
  }

  /** Forgets an entry that will have no answer. */
  forget(entry: number): void {
    if (this.#holds(entry)) this.#lengths[entry % this.#capacity] = FORGOTTEN;
  }

  #holds(entry: number): boolean {
    if (entry === 0 || entry <= this.#entries - this.#capacity) return false;
    return this.#starts[entry % this.#capacity]! >= this.#tokensAdded - this.#tokens.length;
  }

  #placeOf(hash: number): number {
    return (hash >>> 0) % this.#capacity;
  }

  #isLike(slot: number, tokens: TokenColumns, row: number): boolean {
    const first = tokens.offsets[row]!;
    const length = tokens.offsets[row + 1]! - first;
    if (this.#lengths[slot] !== length) return false;
    const start = this.#starts[slot]! % this.#tokens.length;
    for (let index = 0; index < length; index++) {
      if (this.#tokens[start + index] !== codeOf(tokens, first + index)) return false;
    }
    return true;
  }
}

/** A 32-bit hash of the tokens of a row. */
export function hashOfRow(tokens: TokenColumns, row: number): number {
  let hash = 0x811c9dc5;
  for (let at = tokens.offsets[row]!; at < tokens.offsets[row + 1]!; at++) {
    hash = Math.imul(hash ^ codeOf(tokens, at), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash | 0;
}

/** Id and segment of a token in one number; ids are below 2^30. */
function codeOf({ ids, segments }: TokenColumns, at: number): number {
  return 2 * ids[at]! + (segments === undefined ? 0 : segments[at]!);
}
