import { z } from 'zod';

import type { AddedToken } from './added-tokens.js';
import { BertEncoder } from './bert-encoder.js';
import { BytePairs } from './byte-pairs.js';
import { LibraryEncoder } from './library-encoder.js';
import { normalizerOf } from './normalizers.js';
import { preTokenizerOf } from './pre-tokenizers.js';
import { SubwordEncoder } from './subword-encoder.js';
import type { TextEncoder } from './text-encoder.js';
import { idOfToken } from './tokenizer-json.js';
import type { TokenizerJson } from './tokenizer-json.js';
import { UnigramPieces } from './unigram-pieces.js';

/** Defaults of the reference's BertNormalizer; accents are stripped where letters are lowered unless told otherwise. */
const bertNormalizer = z.object({
  type: z.literal('BertNormalizer'),
  clean_text: z.boolean().default(true),
  handle_chinese_chars: z.boolean().default(true),
  strip_accents: z.boolean().nullable().default(null),
  lowercase: z.boolean().default(true),
});

/**
 * The fast encoder for BERT's own pipeline, the one for subwords for those of BPE and Unigram, the library for any
 * other.
 *
 * @throws Error where a part of the tokenizer is unknown or damaged
 */
export function createEncoder(json: TokenizerJson): TextEncoder {
  return bertEncoder(json) ?? subwordEncoder(json) ?? new LibraryEncoder(json);
}

function bertEncoder(json: TokenizerJson): BertEncoder | undefined {
  const { model } = json;
  const normalizer = bertNormalizer.safeParse(json.normalizer);
  if (model.type !== 'WordPiece' || !normalizer.success) return undefined;
  if (json.pre_tokenizer?.type !== 'BertPreTokenizer' || json.added_tokens.some(isNormalized))
    return undefined;
  const { clean_text, handle_chinese_chars, strip_accents, lowercase } = normalizer.data;
  return new BertEncoder(
    {
      cleanText: clean_text,
      isolateIdeographs: handle_chinese_chars,
      stripAccents: strip_accents ?? lowercase,
      lowercase,
    },
    {
      vocabulary: new Map(Object.entries(model.vocab)),
      unknownId: idOfToken(json, model.unk_token)!,
      continuingPrefix: model.continuing_subword_prefix,
      maxWordCharacters: model.max_input_chars_per_word,
    },
    json.added_tokens,
  );
}

function subwordEncoder(json: TokenizerJson): SubwordEncoder | undefined {
  const { model, added_tokens } = json;
  if (model.type === 'WordPiece') return undefined;
  const normalize = normalizerOf(json.normalizer);
  const preTokenizer = preTokenizerOf(json.pre_tokenizer);
  if (normalize === undefined || preTokenizer === undefined) return undefined;
  const normalizedTokens = added_tokens.filter(isNormalized);
  return new SubwordEncoder({
    rawTokens: added_tokens.filter((token) => !isNormalized(token)),
    normalize,
    normalizedTokens: normalizedTokens.map((token) => ({ ...token, content: normalize(token.content) })),
    preTokenizer,
    model: model.type === 'BPE' ? new BytePairs(model) : new UnigramPieces(model),
  });
}

function isNormalized(token: AddedToken & { special: boolean; normalized?: boolean | undefined }): boolean {
  return token.normalized ?? !token.special;
}
