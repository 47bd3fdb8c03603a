import { z } from 'zod';

import { BertEncoder } from './bert-encoder.js';
import { LibraryEncoder } from './library-encoder.js';
import type { TextEncoder } from './text-encoder.js';
import { idOfToken } from './tokenizer-json.js';
import type { TokenizerJson } from './tokenizer-json.js';

/** Defaults of the reference's BertNormalizer; accents are stripped where letters are lowered unless told otherwise. */
const bertNormalizer = z.object({
  type: z.literal('BertNormalizer'),
  clean_text: z.boolean().default(true),
  handle_chinese_chars: z.boolean().default(true),
  strip_accents: z.boolean().nullable().default(null),
  lowercase: z.boolean().default(true),
});

/** The fast encoder for BERT's own pipeline, the library for any other. */
export function createEncoder(json: TokenizerJson): TextEncoder {
  const { model } = json;
  const normalizer = bertNormalizer.safeParse(json.normalizer);
  const rawTokensOnly = json.added_tokens.every((token) => !(token.normalized ?? !token.special));
  if (
    model.type !== 'WordPiece' ||
    !normalizer.success ||
    json.pre_tokenizer?.type !== 'BertPreTokenizer' ||
    !rawTokensOnly
  ) {
    return new LibraryEncoder(json);
  }
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
