import { z } from 'zod';

/** A part of the pipeline that is told apart by its type. */
const part = z.looseObject({ type: z.string() }).nullable().default(null);

const addedToken = z.looseObject({
  id: z
    .int()
    .nonnegative()
    .lt(2 ** 31),
  content: z.string(),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  special: z.boolean().default(false),
  normalized: z.boolean().optional(),
});

const vocabularyOfIds = z.custom<Readonly<Record<string, number>>>(isVocabulary, {
  error: 'expected an object of tokens and their ids, whole numbers from 0',
});

const wordPiece = z.looseObject({
  type: z.literal('WordPiece'),
  unk_token: z.string().default('[UNK]'),
  continuing_subword_prefix: z.string().default('##'),
  max_input_chars_per_word: z.int().positive().default(100),
  vocab: vocabularyOfIds,
});

const bpe = z.looseObject({
  type: z.literal('BPE'),
  dropout: z.literal(0, { error: 'a model that merges by chance cannot be used' }).nullable().default(null),
  unk_token: z.string().nullable().default(null),
  continuing_subword_prefix: z.string().nullable().default(null),
  end_of_word_suffix: z.string().nullable().default(null),
  fuse_unk: z.boolean().default(false),
  byte_fallback: z.boolean().default(false),
  ignore_merges: z.boolean().default(false),
  vocab: vocabularyOfIds,
  merges: z.custom<readonly (string | readonly [string, string])[]>(isMerges, {
    error: 'expected an array of merges, each "a b" or ["a", "b"]',
  }),
});

const unigram = z.looseObject({
  type: z.literal('Unigram'),
  unk_id: z.int().nonnegative(),
  byte_fallback: z.boolean().default(false),
  vocab: z.custom<readonly (readonly [piece: string, score: number])[]>(isScoredVocabulary, {
    error: 'expected an array of pieces and their scores, such as ["▁the", -3.5]',
  }),
});

/** Defaults of the reference filled in, for every model type that can be used. */
export const tokenizerJsonSchema = z.looseObject({
  added_tokens: z.array(addedToken).default([]),
  normalizer: part,
  pre_tokenizer: part,
  post_processor: part,
  decoder: part,
  model: z.preprocess(
    withType,
    z.discriminatedUnion('type', [wordPiece, bpe, unigram], {
      error: (issue) =>
        issue.code === 'invalid_union' ? 'only WordPiece, BPE and Unigram models can be used' : undefined,
    }),
  ),
});

/** What Sluice reads of the tokenizer.json format of Hugging Face's tokenizers. Padding and truncation in it are not used. */
export type TokenizerJson = z.infer<typeof tokenizerJsonSchema>;
type AnyModel = TokenizerJson['model'];
export type BpeModel = Extract<AnyModel, { type: 'BPE' }>;
export type UnigramModel = Extract<AnyModel, { type: 'Unigram' }>;
type WordPieceModel = Extract<AnyModel, { type: 'WordPiece' }>;
export interface BpeJson extends TokenizerJson {
  model: BpeModel;
}
export interface WordPieceJson extends TokenizerJson {
  model: WordPieceModel;
}

/** Id of a token, added or of the vocabulary. */
export function idOfToken(json: TokenizerJson, token: string): number | undefined {
  const added = json.added_tokens.find(({ content }) => content === token);
  if (added !== undefined) return added.id;
  const { model } = json;
  if (model.type === 'Unigram') {
    const id = model.vocab.findLastIndex(([piece]) => piece === token);
    return id < 0 ? undefined : id;
  }
  return Object.hasOwn(model.vocab, token) ? model.vocab[token] : undefined;
}

/** The largest id that a text can have; ids start at 0. */
export function largestTokenId({ model, added_tokens }: TokenizerJson): number {
  let largest = model.type === 'Unigram' ? model.vocab.length - 1 : 0;
  if (model.type !== 'Unigram') for (const id of Object.values(model.vocab)) largest = Math.max(largest, id);
  for (const { id } of added_tokens) largest = Math.max(largest, id);
  return largest;
}

/** Files that were written by old versions do not name the type of the model. */
function withType(model: unknown): unknown {
  if (typeof model !== 'object' || model === null || 'type' in model) return model;
  if ('merges' in model) return { ...model, type: 'BPE' };
  return { ...model, type: 'vocab' in model && Array.isArray(model.vocab) ? 'Unigram' : 'WordPiece' };
}

/** Whether a value is an object of tokens and their ids. */
export function isVocabulary(value: unknown): value is Readonly<Record<string, number>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((id) => Number.isInteger(id) && id >= 0 && id < 2 ** 31);
}

function isMerges(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((merge: unknown) => {
      const sides = typeof merge === 'string' ? merge.split(' ') : merge;
      return Array.isArray(sides) && sides.length === 2 && sides.every((side) => typeof side === 'string');
    })
  );
}

function isScoredVocabulary(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (entry: unknown) =>
        Array.isArray(entry) &&
        entry.length === 2 &&
        typeof entry[0] === 'string' &&
        Number.isFinite(entry[1]),
    )
  );
}
