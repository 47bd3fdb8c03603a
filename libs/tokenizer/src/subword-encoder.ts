import { AddedTokens } from './added-tokens.js';
import type { AddedToken } from './added-tokens.js';
import { spellBytes } from './byte-level.js';
import type { IdColumn } from './id-column.js';
import type { Normalize } from './normalizers.js';
import type { PreTokenizer } from './pre-tokenizers.js';
import type { SubwordModel } from './subword-model.js';
import type { TextEncoder } from './text-encoder.js';
import { WordCache } from './word-cache.js';

/** The steps of a BPE or Unigram tokenizer, in the order that a text takes them. */
export interface SubwordPipeline {
  /** Found in the raw text. */
  readonly rawTokens: readonly AddedToken[];
  readonly normalize: Normalize;
  /** Found in the normalised text; their contents are normalised. */
  readonly normalizedTokens: readonly AddedToken[];
  readonly preTokenizer: PreTokenizer;
  readonly model: SubwordModel;
}

/**
 * Byte-level BPE and SentencePiece tokenizers. The whole of a text is normalised, but it is cut into pieces only as
 * far as ids are asked for; the ids of a word depend on that word alone, and most words have been seen before.
 */
export class SubwordEncoder implements TextEncoder {
  readonly #pipeline: SubwordPipeline;
  readonly #rawTokens: AddedTokens;
  readonly #normalizedTokens: AddedTokens;
  readonly #words = new WordCache();

  constructor(pipeline: SubwordPipeline) {
    this.#pipeline = pipeline;
    this.#rawTokens = new AddedTokens(pipeline.rawTokens);
    this.#normalizedTokens = new AddedTokens(pipeline.normalizedTokens);
  }

  append(text: string, limit: number, column: IdColumn): number {
    const before = column.length;
    const full = before + limit;
    // A lone surrogate is what a UTF-8 decoder would make of it.
    const wellFormed = text.replace(/\p{Surrogate}/gu, '\ufffd');
    for (const { section, start, id } of sections(wellFormed, this.#rawTokens)) {
      if (column.length >= full) break;
      if (id === undefined) this.#appendSection(section, start === 0, full, column);
      else column.push(id);
    }
    return column.length - before;
  }

  #appendSection(raw: string, isStart: boolean, full: number, column: IdColumn): void {
    const normalized = this.#pipeline.normalize(raw);
    for (const { section, start, id } of sections(normalized, this.#normalizedTokens)) {
      if (column.length >= full) return;
      if (id !== undefined) {
        column.push(id);
        continue;
      }
      for (const word of this.#pipeline.preTokenizer.words(section, isStart && start === 0)) {
        if (column.length >= full) return;
        this.#appendWord(word, column);
      }
    }
  }

  #appendWord(word: string, column: IdColumn): void {
    if (this.#words.append(word, 0, word.length, column)) return;
    const ids = this.#pipeline.model.ids(this.#pipeline.preTokenizer.byteLevel ? spellBytes(word) : word);
    this.#words.remember(word, ids);
    column.pushAll(ids);
  }
}

interface Section {
  readonly section: string;
  readonly start: number;
  /** Of an added token; undefined for the text between such. */
  readonly id?: number;
}

/** The stretches of a text: added tokens, and what is between them. */
function* sections(text: string, tokens: AddedTokens): Generator<Section> {
  let from = 0;
  for (const { start, end, id } of tokens.find(text)) {
    if (start > from) yield { section: text.slice(from, start), start: from };
    yield { section: text.slice(start, end), start, id };
    from = end;
  }
  if (text.length > from) yield { section: text.slice(from), start: from };
}
