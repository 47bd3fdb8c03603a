import type { TokenColumns } from '#pipeline/columns.js';
import type { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import { CompileError } from './compile-error.js';

/** Texts to calibrate or measure with. */
export interface SampleTexts {
  readonly texts: readonly string[];
  /** Second texts, for pair tasks. */
  readonly pairs?: readonly string[] | undefined;
  /** Right labels, where known. */
  readonly labels?: readonly (string | undefined)[] | undefined;
}

/** The tokenizer of one model: pairs only for pair tasks. */
export class SampleTokenizer {
  readonly #tokenizer: TextTokenizer;
  readonly #pair: boolean;

  constructor(tokenizer: TextTokenizer, config: CheckpointConfig) {
    this.#tokenizer = tokenizer;
    this.#pair = config.task === 'pair';
  }

  tokenize({ texts, pairs }: SampleTexts): TokenColumns {
    if (!this.#pair) return this.#tokenizer.tokenize(texts);
    if (pairs === undefined)
      throw new CompileError('The model labels pairs of texts: name the second one with --pair-field.');
    return this.#tokenizer.tokenize(texts, pairs);
  }
}
