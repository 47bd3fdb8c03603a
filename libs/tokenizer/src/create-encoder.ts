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
import type { BpeModel, TokenizerJson, UnigramModel } from './tokenizer-json.js';
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
 * The fast encoder for BERT's own pipeline, the one for subwords for BPE and Unigram, the library for any other that
 * has a WordPiece model.
 *
 * @throws Error where a part of the tokenizer is unknown or damaged
 */
export function createEncoder(json: TokenizerJson): TextEncoder {
  const { model } = json;
  if (model.type !== 'WordPiece') return subwordEncoder(json, model);
  return bertEncoder(json) ?? libraryEncoder(json);
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

/** The library only comes close to a charsmap, so a tokenizer with one is not left to it. */
function libraryEncoder(json: TokenizerJson): LibraryEncoder {
  if (JSON.stringify(json.normalizer).includes('"Precompiled"')) {
    throw new Error('a WordPiece model with a Precompiled normalizer cannot be used');
  }
  return new LibraryEncoder(json);
}

function subwordEncoder(json: TokenizerJson, model: BpeModel | UnigramModel): SubwordEncoder {
  const { added_tokens } = json;
  const normalize = normalizerOf(json.normalizer);
  const preTokenizer = preTokenizerOf(json.pre_tokenizer);
  if (normalize === undefined)
    throw new Error(`a ${model.type} model ${cannotUse('normalizer', json.normalizer)}`);
  if (preTokenizer === undefined) {
    throw new Error(`a ${model.type} model ${cannotUse('pre_tokenizer', json.pre_tokenizer)}`);
  }
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

function cannotUse(name: string, part: unknown): string {
  const types = Array.from(JSON.stringify(part).matchAll(/"type":"(\w+)"/g), ([, type]) => type);
  return `cannot be used with the ${name} ${types.join(' of ')}; none is known that gives the same tokens`;
}
