import { z } from 'zod';

import { TokenizerFileError, messageOf } from './tokenizer-errors.js';

/** A part of the pipeline that is told apart by its type. */
const part = z.looseObject({ type: z.string() }).nullable().default(null);

const addedToken = z.looseObject({
  id: z.int().nonnegative(),
  content: z.string(),
  single_word: z.boolean().default(false),
  special: z.boolean().default(false),
  normalized: z.boolean().optional(),
});

const schema = z.looseObject({
  added_tokens: z.array(addedToken).default([]),
  normalizer: part,
  pre_tokenizer: part,
  post_processor: part,
  decoder: part,
  model: z.looseObject({
    type: z.literal('WordPiece', { error: 'only WordPiece models can be used' }).default('WordPiece'),
    unk_token: z.string().default('[UNK]'),
    continuing_subword_prefix: z.string().default('##'),
    max_input_chars_per_word: z.int().positive().default(100),
    vocab: z.custom<Readonly<Record<string, number>>>(isVocabulary, {
      error: 'expected an object of tokens and their ids, whole numbers from 0',
    }),
  }),
});

/** What Sluice reads of the tokenizer.json format of Hugging Face's tokenizers. Padding and truncation in it are not used. */
export type TokenizerJson = z.infer<typeof schema>;

/**
 * Checks the content of a tokenizer.json.
 *
 * @param file names the file in errors
 * @throws TokenizerFileError
 */
export function parseTokenizerJson(content: string, file: string): TokenizerJson {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new TokenizerFileError(file, `expected JSON: ${messageOf(error)}`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TokenizerFileError(file, `at ${issue!.path.join('.') || 'top level'}: ${issue!.message}`);
  }
  const json = parsed.data;
  const wordOnly = json.added_tokens.find((token) => token.single_word);
  if (wordOnly !== undefined) {
    throw new TokenizerFileError(
      file,
      `added token ${JSON.stringify(wordOnly.content)} has single_word, which is not supported`,
    );
  }
  if (hasExpression(json.normalizer) || hasExpression(json.pre_tokenizer)) {
    throw new TokenizerFileError(
      file,
      'it splits or replaces by a regular expression, which is not supported: some take for ever on some texts',
    );
  }
  for (const token of [json.model.unk_token, '[CLS]', '[SEP]']) {
    if (idOfToken(json, token) === undefined) {
      throw new TokenizerFileError(
        file,
        `the vocabulary has no ${token}; a BERT vocabulary with its special tokens is expected`,
      );
    }
  }
  return json;
}

/** Id of a token, added or of the vocabulary. */
export function idOfToken(json: TokenizerJson, token: string): number | undefined {
  const added = json.added_tokens.find(({ content }) => content === token);
  if (added !== undefined) return added.id;
  return Object.hasOwn(json.model.vocab, token) ? json.model.vocab[token] : undefined;
}

/** Whether a part, or one inside of it, has a pattern that is a regular expression. */
function hasExpression(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false;
  return Object.hasOwn(part, 'Regex') || Object.values(part).some(hasExpression);
}

function isVocabulary(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((id) => Number.isInteger(id) && id >= 0);
}
