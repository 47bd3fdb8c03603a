import { AddedTokens } from './added-tokens.js';
import type { AddedToken } from './added-tokens.js';
import { BertNormalizer } from './bert-normalizer.js';
import type { BertNormalizerOptions } from './bert-normalizer.js';
import type { IdColumn } from './id-column.js';
import type { TextEncoder } from './text-encoder.js';
import { CODE_POINTS, IS_PUNCTUATION, IS_SPACE, unicodeClasses } from './unicode-classes.js';
import { WordCache } from './word-cache.js';
import { WordPieces } from './word-pieces.js';
import type { WordPieceOptions } from './word-pieces.js';

/** Roles of a code point; any other role is the id of the one token that it stands for. */
const IN_WORD = -1;
const GAP = -2;
const UNSEEN = -3;

/**
 * BERT's tokenizer (BertNormalizer, BertPreTokenizer, WordPiece) in one pass over the raw text.
 *
 * It rests on this: each character is either part of a word, or a gap between words, or a word by itself
 * (punctuation, ideographs), whatever its neighbours. So a text is cut into raw words first, a raw word's ids
 * depend on that raw word alone, and most raw words have been seen before.
 */
export class BertEncoder implements TextEncoder {
  readonly #normalizer: BertNormalizer;
  readonly #pieces: WordPieces;
  readonly #addedTokens: AddedTokens;
  readonly #words = new WordCache();
  /** Found out when first needed, `[CODE_POINTS]`. */
  readonly #roles = new Int32Array(CODE_POINTS).fill(UNSEEN);

  constructor(
    normalizer: BertNormalizerOptions,
    pieces: WordPieceOptions,
    addedTokens: readonly AddedToken[],
  ) {
    this.#normalizer = new BertNormalizer(normalizer);
    this.#pieces = new WordPieces(pieces);
    this.#addedTokens = new AddedTokens(addedTokens);
  }

  append(text: string, limit: number, column: IdColumn): number {
    const before = column.length;
    let from = 0;
    for (const { start, end, id } of this.#addedTokens.find(text)) {
      this.#appendPlain(text, from, start, before + limit, column);
      if (column.length - before >= limit) return column.length - before;
      column.push(id);
      from = end;
    }
    this.#appendPlain(text, from, text.length, before + limit, column);
    return column.length - before;
  }

  /** Appends a stretch of text that holds no added token, until the column is `full` long. */
  #appendPlain(text: string, from: number, to: number, full: number, column: IdColumn): void {
    let wordStart = from;
    for (let at = from; at < to && column.length < full;) {
      let codePoint = text.charCodeAt(at);
      if (codePoint >= 0xd800 && codePoint <= 0xdbff) codePoint = text.codePointAt(at)!;
      const next = codePoint > 0xffff ? at + 2 : at + 1;
      let role = this.#roles[codePoint]!;
      if (role === UNSEEN) role = this.#roles[codePoint] = this.#roleOf(codePoint);
      if (role !== IN_WORD) {
        if (at > wordStart) this.#appendWord(text, wordStart, at, column);
        if (role !== GAP) column.push(role);
        wordStart = next;
      }
      at = next;
    }
    if (to > wordStart && column.length < full) this.#appendWord(text, wordStart, to, column);
  }

  #appendWord(text: string, start: number, end: number, column: IdColumn): void {
    if (this.#words.append(text, start, end, column)) return;
    const rawWord = text.slice(start, end);
    const ids = this.#pieces.ids(this.#normalizer.normalize(rawWord, this.#pieces.maxWordUnits));
    this.#words.remember(rawWord, ids);
    column.pushAll(ids);
  }

  #roleOf(codePoint: number): number {
    const characters = Array.from(this.#normalizer.normalize(String.fromCodePoint(codePoint)));
    if (!characters.some((character) => is(character, IS_SPACE | IS_PUNCTUATION))) return IN_WORD;
    const word = characters.filter((character) => !is(character, IS_SPACE)).join('');
    return word === '' ? GAP : this.#pieces.ids(word)[0]!;
  }
}

function is(character: string, bits: number): boolean {
  return (unicodeClasses[character.codePointAt(0)!]! & bits) !== 0;
}
