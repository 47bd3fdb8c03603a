import { Tokenizer } from '@huggingface/tokenizers';

import type { IdColumn } from './id-column.js';
import type { TextEncoder } from './text-encoder.js';
import type { TokenizerJson } from './tokenizer-json.js';

/**
 * The tokenizers library, for a tokenizer.json whose normaliser or pre-tokeniser is not BERT's. It reads the whole
 * of every text, however long.
 */
export class LibraryEncoder implements TextEncoder {
  readonly #tokenizer: Tokenizer;

  /** @throws Error where the library does not know a part of the tokenizer */
  constructor(json: TokenizerJson) {
    this.#tokenizer = new Tokenizer(json, {});
  }

  append(text: string, _limit: number, column: IdColumn): number {
    const { ids } = this.#tokenizer.encode(text, { add_special_tokens: false });
    column.pushAll(ids);
    return ids.length;
  }
}
