import path from 'node:path';

import type { TokenColumns } from '#pipeline/columns.js';

import { createEncoder } from './create-encoder.js';
import { IdColumn } from './id-column.js';
import { loadTokenizerJson } from './load-tokenizer.js';
import { longestFirst } from './longest-first.js';
import { framingOf, specialTokenCount } from './special-tokens.js';
import type { SpecialTokenRule } from './special-tokens.js';
import type { TextEncoder } from './text-encoder.js';
import { TokenizerFileError, TokenizerUsageError, messageOf } from './tokenizer-errors.js';
import type { TokenizerJson } from './tokenizer-json.js';

export interface TokenizeOptions {
  readonly rule: SpecialTokenRule;
  /** Tokens a row may have, special tokens included. */
  readonly maxLength: number;
}

/** Turns texts into token columns on the calling thread. */
export class TextTokenizer {
  readonly #encoder: TextEncoder;
  readonly #rule: SpecialTokenRule;
  readonly #maxLength: number;
  readonly #cls: number;
  readonly #sep: number;

  /**
   * @throws TokenizerUsageError for a maximum length that leaves no room for text
   * @throws Error where a part of the tokenizer is unknown
   */
  constructor(json: TokenizerJson, { rule, maxLength }: TokenizeOptions) {
    const least = specialTokenCount(rule, true) + 1;
    if (!Number.isInteger(maxLength) || maxLength < least) {
      throw new TokenizerUsageError(
        `The maximum length must be a whole number of at least ${least} tokens; got ${maxLength}.`,
      );
    }
    const framing = framingOf(json);
    if (framing.problem !== undefined) throw new Error(framing.problem);
    this.#encoder = createEncoder(json);
    this.#rule = rule;
    this.#maxLength = maxLength;
    this.#cls = framing.cls;
    this.#sep = framing.sep;
  }

  /** Reads the tokenizer of a directory. @throws TokenizerFileError, TokenizerUsageError */
  static async load(directory: string, options: TokenizeOptions): Promise<TextTokenizer> {
    return TextTokenizer.of(await loadTokenizerJson(directory), directory, options);
  }

  /**
   * The tokenizer that was read from a directory.
   * @throws TokenizerFileError where a part of it is unknown, TokenizerUsageError
   */
  static of(json: TokenizerJson, directory: string, options: TokenizeOptions): TextTokenizer {
    try {
      return new TextTokenizer(json, options);
    } catch (error) {
      if (error instanceof TokenizerUsageError) throw error;
      throw new TokenizerFileError(path.join(directory, 'tokenizer.json'), messageOf(error));
    }
  }

  /**
   * @param texts `[rows]`
   * @param pairs second texts, `[rows]`
   * @throws TokenizerUsageError where there are not as many pairs as texts
   */
  tokenize(texts: readonly string[], pairs?: readonly string[]): TokenColumns {
    this.#check(texts, pairs);
    const ids = new IdColumn();
    const segments = pairs && new IdColumn();
    const offsets = new Int32Array(texts.length + 1);
    const truncated = new Uint8Array(texts.length);
    for (let row = 0; row < texts.length; row += 1) {
      const cut =
        segments === undefined
          ? this.#appendSingle(texts[row]!, ids)
          : this.#appendPair(texts[row]!, pairs![row]!, ids, segments);
      if (cut) truncated[row] = 1;
      offsets[row + 1] = ids.length;
    }
    return { ids: ids.slice(), segments: segments?.slice(), offsets, truncated };
  }

  #check(texts: readonly string[], pairs: readonly string[] | undefined): void {
    if (pairs !== undefined && pairs.length !== texts.length) {
      throw new TokenizerUsageError(
        `Expected one second text per text; got ${texts.length} texts and ${pairs.length} second texts.`,
      );
    }
  }

  /** Returns whether the text was cut. */
  #appendSingle(text: string, ids: IdColumn): boolean {
    const budget = this.#maxLength - specialTokenCount(this.#rule, false);
    ids.push(this.#cls);
    const start = ids.length;
    // One token more than fits tells a text that is cut from one that just fits; what follows need not be read.
    const found = this.#encoder.append(text, budget + 1, ids);
    ids.cut(start + budget);
    if (this.#rule !== 'cls') ids.push(this.#sep);
    return found > budget;
  }

  /** Returns whether the pair was cut. */
  #appendPair(first: string, second: string, ids: IdColumn, segments: IdColumn): boolean {
    const budget = this.#maxLength - specialTokenCount(this.#rule, true);
    ids.push(this.#cls);
    const start = ids.length;
    const secondIds = new IdColumn(budget + 1);
    let found = this.#encoder.append(first, budget + 1, ids);
    let foundSecond = this.#encoder.append(second, budget + 1, secondIds);
    if (found > budget && foundSecond > budget) {
      // Which text is the longer one decides who gets the odd token, so both must be read to their ends.
      found = this.#encoder.append(first, Infinity, new IdColumn());
      foundSecond = this.#encoder.append(second, Infinity, new IdColumn());
    }
    const [kept, keptSecond] = longestFirst(found, foundSecond, budget);
    ids.cut(start + kept);
    ids.push(this.#sep);
    while (segments.length < ids.length) segments.push(0);
    if (this.#rule === 'cls-sep-sep') ids.push(this.#sep);
    ids.pushAll(secondIds.slice(0, keptSecond));
    ids.push(this.#sep);
    while (segments.length < ids.length) segments.push(1);
    return found + foundSecond > budget;
  }
}
