import type { WordPieceJson } from './tokenizer-json.js';

/** What vocab.txt does not say; the defaults are those of BERT uncased. */
export interface VocabOptions {
  /** `do_lower_case` of tokenizer_config.json. */
  readonly lowercase?: boolean | undefined;
  /** `strip_accents`; null follows `lowercase`. */
  readonly stripAccents?: boolean | null | undefined;
  /** `tokenize_chinese_chars`. */
  readonly isolateIdeographs?: boolean | undefined;
  /** `split_special_tokens`: a literal `[SEP]` in a text is split like any other text, not taken for the special token. */
  readonly splitSpecialTokens?: boolean | undefined;
}

const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const ADDED_TOKEN_FLAGS = {
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
};

const SINGLE = [
  { SpecialToken: { id: '[CLS]', type_id: 0 } },
  { Sequence: { id: 'A', type_id: 0 } },
  { SpecialToken: { id: '[SEP]', type_id: 0 } },
];
const PAIR = [
  ...SINGLE,
  { Sequence: { id: 'B', type_id: 1 } },
  { SpecialToken: { id: '[SEP]', type_id: 1 } },
];

/**
 * The tokenizer.json that means the same as a vocab.txt: one token a line, whose id is the number of the line from 0.
 * Of lines with tab-separated columns (ERNIE) the first column counts; of a repeated token the last line.
 */
export function tokenizerJsonOfVocab(vocab: string, options: VocabOptions = {}): WordPieceJson {
  const {
    lowercase = true,
    stripAccents = null,
    isolateIdeographs = true,
    splitSpecialTokens = false,
  } = options;
  const lines = vocab.replace(/^\uFEFF/, '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const ids = Object.fromEntries(lines.map((line, id) => [line.replace(/(\t.*|\r)$/s, ''), id]));

  const found = SPECIAL_TOKENS.flatMap((content) =>
    Object.hasOwn(ids, content) ? [{ content, id: ids[content]! }] : [],
  );

  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: splitSpecialTokens ? [] : found.map((token) => ({ ...token, ...ADDED_TOKEN_FLAGS })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: isolateIdeographs,
      strip_accents: stripAccents,
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: SINGLE,
      pair: PAIR,
      special_tokens: Object.fromEntries(
        found
          .filter(({ content }) => content === '[CLS]' || content === '[SEP]')
          .map(({ content, id }) => [content, { id: content, ids: [id], tokens: [content] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: ids,
    },
  };
}
