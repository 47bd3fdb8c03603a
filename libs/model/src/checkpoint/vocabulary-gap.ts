import type { TokenizerJson } from '#tokenizer/tokenizer-json.js';
import { largestTokenId } from '#tokenizer/tokenizer-json.js';

/**
 * Why a tokenizer is not the model's: it has tokens that the model does not embed.
 * @param vocabSize words that the model embeds
 * @returns `undefined` where it fits; a model may embed more words than there are tokens
 */
export function vocabularyGap(json: TokenizerJson, vocabSize: number): string | undefined {
  const largest = largestTokenId(json);
  if (largest < vocabSize) return undefined;
  return `The tokenizer has a token of id ${largest}, but the model embeds ${vocabSize} tokens, 0 to ${vocabSize - 1}: they do not belong together.`;
}
