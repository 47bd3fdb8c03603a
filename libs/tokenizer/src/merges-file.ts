import type { BpeJson } from './tokenizer-json.js';

/** What vocab.json and merges.txt do not say; the default is RoBERTa's. */
export interface MergesOptions {
  /** `add_prefix_space` of tokenizer_config.json: the first word of a text is spelt as if a blank were before it. */
  readonly addPrefixSpace?: boolean | undefined;
}

const ADDED_TOKENS = ['<s>', '<pad>', '</s>', '<unk>', '<mask>'];

/**
 * The tokenizer.json that means the same as the files of RoBERTa's tokeniser: vocab.json, an object of tokens and
 * their ids, and merges.txt, a merge a line, `a b`, the first learnt first, after a line `#version`.
 */
export function tokenizerJsonOfMerges(
  vocab: Readonly<Record<string, number>>,
  merges: string,
  { addPrefixSpace = false }: MergesOptions = {},
): BpeJson {
  const lines = merges.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'));
  const added = ADDED_TOKENS.flatMap((content) =>
    Object.hasOwn(vocab, content) ? [{ content, id: vocab[content]! }] : [],
  );
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added.map((token) => ({
      ...token,
      single_word: false,
      lstrip: token.content === '<mask>',
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: 'ByteLevel',
      add_prefix_space: addPrefixSpace,
      trim_offsets: true,
      use_regex: true,
    },
    post_processor: {
      type: 'RobertaProcessing',
      sep: ['</s>', vocab['</s>'] ?? 0],
      cls: ['<s>', vocab['<s>'] ?? 0],
      trim_offsets: true,
      add_prefix_space: addPrefixSpace,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges: lines,
    },
  };
}
