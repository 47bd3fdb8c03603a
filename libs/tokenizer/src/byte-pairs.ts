import { MOST_RANKS, MergeQueue } from './merge-queue.js';
import { PairTable } from './pair-table.js';
import { byteTokenIds, idsOfBytes } from './subword-model.js';
import type { SubwordModel } from './subword-model.js';
import type { BpeModel } from './tokenizer-json.js';

const NONE = -1;

/**
 * Byte-pair encoding: starts from the characters of a word and merges the neighbours whose merge was learnt first,
 * the leftmost of equals, until no merge is left. A word of n characters takes n·log n steps.
 *
 * Example: with the merges `l o`, `lo w` the word `low` becomes `lo`, `w`, then `low`.
 */
export class BytePairs implements SubwordModel {
  readonly #vocabulary: ReadonlyMap<string, number>;
  readonly #continuingPrefix: string;
  readonly #endSuffix: string;
  readonly #unknownId: number | undefined;
  readonly #fuseUnknown: boolean;
  readonly #wholeWordsFirst: boolean;
  /** Undefined where the model does not fall back to bytes. */
  readonly #byteIds: readonly (number | undefined)[] | undefined;
  /** Rank of the merge of two ids. */
  readonly #ranks = new PairTable();
  /** What a merge makes, `[merges]`. */
  readonly #merged: Int32Array;
  /** Of the word at hand: its symbols, each `NONE` once it is merged into its left neighbour, and its neighbours. */
  #symbols = new Int32Array(0);
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #queue = new MergeQueue(0);

  /** @throws Error where a merge is of tokens that are not in the vocabulary */
  constructor(model: BpeModel) {
    this.#vocabulary = new Map(Object.entries(model.vocab));
    this.#continuingPrefix = model.continuing_subword_prefix ?? '';
    this.#endSuffix = model.end_of_word_suffix ?? '';
    this.#unknownId = model.unk_token === null ? undefined : this.#vocabulary.get(model.unk_token);
    this.#fuseUnknown = model.fuse_unk;
    this.#wholeWordsFirst = model.ignore_merges;
    this.#byteIds = model.byte_fallback ? byteTokenIds((token) => this.#vocabulary.get(token)) : undefined;
    if (model.merges.length > MOST_RANKS) throw new Error(`it has more than ${MOST_RANKS} merges`);
    this.#merged = new Int32Array(model.merges.length);
    for (const [rank, merge] of model.merges.entries()) {
      const [left, right] = sidesOf(merge);
      const ids = [left, right, left + right.slice(this.#continuingPrefix.length)].map((token) => {
        const id = this.#vocabulary.get(token);
        if (id !== undefined) return id;
        throw new Error(
          `merge ${rank + 1} needs the token ${JSON.stringify(token)}, which the vocabulary lacks`,
        );
      });
      this.#ranks.set(ids[0]!, ids[1]!, rank);
      this.#merged[rank] = ids[2]!;
    }
  }

  ids(word: string): number[] {
    if (this.#wholeWordsFirst) {
      const id = this.#vocabulary.get(word);
      if (id !== undefined) return [id];
    }
    const symbols = this.#symbolsOf(word);
    return symbols.length < 2 ? symbols : this.#merge(symbols);
  }

  /**
   * Ids of the characters. Those that the vocabulary lacks are bytes, unknown, or left out. An unknown token comes
   * before the next known character, so after the bytes between: as the reference has it.
   */
  #symbolsOf(word: string): number[] {
    const ids: number[] = [];
    const unknown = this.#unknownId;
    let unknownWaits = false;
    for (let at = 0; at < word.length;) {
      const next = at + (word.codePointAt(at)! > 0xffff ? 2 : 1);
      let symbol = word.slice(at, next);
      if (at > 0) symbol = this.#continuingPrefix + symbol;
      if (next === word.length) symbol += this.#endSuffix;
      at = next;
      const id = this.#vocabulary.get(symbol);
      if (id !== undefined) {
        if (unknownWaits) ids.push(unknown!);
        unknownWaits = false;
        ids.push(id);
        continue;
      }
      const bytes = this.#byteIds && idsOfBytes(symbol, this.#byteIds);
      if (bytes !== undefined) {
        ids.push(...bytes);
      } else if (unknown !== undefined) {
        if (unknownWaits && !this.#fuseUnknown) ids.push(unknown);
        unknownWaits = true;
      }
    }
    if (unknownWaits) ids.push(unknown!);
    return ids;
  }

  #merge(ids: readonly number[]): number[] {
    const count = ids.length;
    this.#takeIn(ids);
    const [symbols, next, previous, queue] = [this.#symbols, this.#next, this.#previous, this.#queue];
    for (let i = 0; i + 1 < count; i += 1) this.#offer(i, i + 1);
    while (queue.pop()) {
      const left = queue.position;
      const right = next[left]!;
      // Merges since then may have left another pair at this place, or none.
      if (symbols[left] === NONE || right === NONE) continue;
      if (this.#ranks.get(symbols[left]!, symbols[right]!) !== queue.rank) continue;
      symbols[left] = this.#merged[queue.rank]!;
      symbols[right] = NONE;
      const after = next[right]!;
      next[left] = after;
      if (after !== NONE) previous[after] = left;
      if (previous[left] !== NONE) this.#offer(previous[left]!, left);
      if (after !== NONE) this.#offer(left, after);
    }
    const merged: number[] = [];
    for (let at = 0; at !== NONE; at = next[at]!) merged.push(symbols[at]!);
    return merged;
  }

  #takeIn(ids: readonly number[]): void {
    const count = ids.length;
    if (this.#symbols.length < count) {
      this.#symbols = new Int32Array(2 * count);
      this.#next = new Int32Array(2 * count);
      this.#previous = new Int32Array(2 * count);
      this.#queue = new MergeQueue(4 * count);
    }
    for (let i = 0; i < count; i += 1) {
      this.#symbols[i] = ids[i]!;
      this.#next[i] = i + 1;
      this.#previous[i] = i - 1;
    }
    this.#next[count - 1] = NONE;
  }

  #offer(left: number, right: number): void {
    const rank = this.#ranks.get(this.#symbols[left]!, this.#symbols[right]!);
    if (rank !== -1) this.#queue.push(rank, left);
  }
}

function sidesOf(merge: BpeModel['merges'][number]): readonly [left: string, right: string] {
  if (typeof merge !== 'string') return merge;
  const blank = merge.indexOf(' ');
  return [merge.slice(0, blank), merge.slice(blank + 1)];
}
