import type { IdColumn } from './id-column.js';

/** Words that the cache can hold, a power of two. With the sizes below it takes some 5 MB. */
const PLACES = 65_536;
/** UTF-16 units; longer raw words are rare, and a rare word gains nothing here. */
const LONGEST = 24;
const MOST_IDS = 6;

/**
 * Remembers the ids of raw words. Each word has one place, where it displaces the word before it, so the cost of a
 * call and the memory are fixed whatever the texts. Words are compared in place: a hit makes no string.
 */
export class WordCache {
  /** UTF-16 units of the word in each place, 0 where there is none, `[PLACES]`. */
  readonly #lengths = new Uint8Array(PLACES);
  /** `[PLACES, LONGEST]`. */
  readonly #units = new Uint16Array(PLACES * LONGEST);
  /** `[PLACES]`. */
  readonly #idCounts = new Uint8Array(PLACES);
  /** `[PLACES, MOST_IDS]`. */
  readonly #ids = new Int32Array(PLACES * MOST_IDS);

  /** Appends the ids of the raw word at `start` to `end` of a text, if it knows them. */
  append(text: string, start: number, end: number, column: IdColumn): boolean {
    const length = end - start;
    if (length > LONGEST) return false;
    const place = placeOf(text, start, end);
    if (this.#lengths[place] !== length) return false;
    for (let i = 0, at = place * LONGEST; i < length; i += 1) {
      if (this.#units[at + i] !== text.charCodeAt(start + i)) return false;
    }
    const first = place * MOST_IDS;
    for (let i = 0; i < this.#idCounts[place]!; i += 1) column.push(this.#ids[first + i]!);
    return true;
  }

  remember(word: string, ids: readonly number[]): void {
    if (word.length > LONGEST || ids.length > MOST_IDS) return;
    const place = placeOf(word, 0, word.length);
    this.#lengths[place] = word.length;
    for (let i = 0; i < word.length; i += 1) this.#units[place * LONGEST + i] = word.charCodeAt(i);
    this.#idCounts[place] = ids.length;
    this.#ids.set(ids, place * MOST_IDS);
  }
}

/** FNV-1a over the units, its high bits folded into the low ones. */
function placeOf(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 16)) & (PLACES - 1);
}
