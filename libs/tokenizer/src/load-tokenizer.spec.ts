import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { familyTokenizer } from '../../../test/tokenizer-fixtures.js';
import { loadTokenizerJson } from './load-tokenizer.js';
import { parseTokenizerJson } from './parse-tokenizer-json.js';
import { ruleOfTokenizer } from './special-tokens.js';
import { TextTokenizer } from './text-tokenizer.js';
import { tokenizerJsonOfVocab } from './vocab-file.js';

const VOCAB = '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\nA\n';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'sluice-tokenizer-'));
});

afterEach(() => rm(directory, { recursive: true }));

function put(name: string, content: unknown): Promise<void> {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return writeFile(path.join(directory, name), text);
}

test('tokenizer.json goes before vocab.txt', async () => {
  await put('tokenizer.json', tokenizerJsonOfVocab(VOCAB, { lowercase: false }));
  await put('vocab.txt', 'not read');
  const json = await loadTokenizerJson(directory);
  expect(json.normalizer).toMatchObject({ lowercase: false });
});

test('vocab.txt heeds tokenizer_config.json', async () => {
  await put('vocab.txt', VOCAB);
  await put('tokenizer_config.json', { do_lower_case: false, model_max_length: 512 });
  const tokenizer = await TextTokenizer.load(directory, { rule: 'cls-sep', maxLength: 8 });
  expect([...tokenizer.tokenize(['ab A']).ids]).toEqual([2, 5, 6, 7, 3]);
});

test("RoBERTa's files mean the same as its tokenizer.json", async () => {
  const known = parseTokenizerJson(familyTokenizer('roberta'), 'tokenizer.json');
  if (known.model.type !== 'BPE') throw new Error('Expected BPE.');
  const { vocab, merges } = known.model;
  await put('vocab.json', { ...vocab, '<mask>': Object.keys(vocab).length });
  const lines = merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' ')));
  await put('merges.txt', `#version: 0.2\n${lines.join('\n')}\n`);
  const options = { rule: 'cls-sep-sep', maxLength: 64 } as const;
  const read = await TextTokenizer.load(directory, options);
  const texts = ['Hello, world!', " it's <mask> <s>x", '\u4e2d\ud83d\ude00'];
  expect(read.tokenize(texts)).toEqual(new TextTokenizer(known, options).tokenize(texts));
  expect(ruleOfTokenizer(await loadTokenizerJson(directory))).toBe('cls-sep-sep');

  await put('tokenizer_config.json', { add_prefix_space: true });
  const prefixing = await TextTokenizer.load(directory, options);
  expect(prefixing.tokenize(['it'])).toEqual(read.tokenize([' it']));
});

const good = tokenizerJsonOfVocab(VOCAB);
const unigram = {
  ...good,
  normalizer: null,
  pre_tokenizer: { type: 'Metaspace' },
  post_processor: null,
  model: {
    type: 'Unigram',
    unk_id: 0,
    vocab: [
      ['<unk>', 0],
      ['[CLS]', 0],
      ['[SEP]', 0],
    ],
  },
};

test.each([
  [
    'neither file',
    {},
    /expected tokenizer\.json, vocab\.txt, or vocab\.json with merges\.txt here; found none/,
  ],
  [
    'a SentencePiece model alone',
    { 'sentencepiece.bpe.model': 'x' },
    /sentencepiece\.bpe\.model cannot be read.*AutoTokenizer\.from_pretrained\(dir\)\.save_pretrained\(dir\)/,
  ],
  ['merges without a vocabulary', { 'merges.txt': 'a b' }, /found none/],
  [
    'a vocab.json that is none',
    { 'vocab.json': '["a"]', 'merges.txt': '' },
    /vocab\.json: expected an object/,
  ],
  [
    'a merge of three',
    { 'vocab.json': { '<s>': 0, '</s>': 1 }, 'merges.txt': 'a b c' },
    /vocab\.json: at model\.merges/,
  ],
  [
    'a merge of what is no token',
    { 'vocab.json': { '<s>': 0, '</s>': 1, a: 2 }, 'merges.txt': '#version: 0.2\na b' },
    /merge 1 needs the token "b"/,
  ],
  [
    'a model that drops merges by chance',
    { 'tokenizer.json': { ...good, model: { type: 'BPE', vocab: {}, merges: [], dropout: 0.1 } } },
    /at model\.dropout: .*by chance/,
  ],
  [
    'scores that are none',
    { 'tokenizer.json': { ...good, model: { type: 'Unigram', unk_id: 0, vocab: [['a', null]] } } },
    /at model\.vocab: expected an array of pieces/,
  ],
  [
    'an unknown piece beyond the vocabulary',
    { 'tokenizer.json': { ...good, model: { type: 'Unigram', unk_id: 1, vocab: [['a', 0]] } } },
    /unk_id is 1, but the vocabulary has 1/,
  ],
  [
    'a charsmap that is cut off',
    {
      'tokenizer.json': { ...unigram, normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAEAAA==' } },
    },
    /tokenizer\.json: its precompiled_charsmap is damaged/,
  ],
  [
    'a pre-tokeniser that nobody tried with Unigram',
    { 'tokenizer.json': { ...unigram, pre_tokenizer: { type: 'Punctuation' } } },
    /tokenizer\.json: a Unigram model cannot be used with the pre_tokenizer Punctuation/,
  ],
  [
    'a charsmap before WordPiece',
    {
      'tokenizer.json': { ...good, normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAEAAA==' } },
    },
    /tokenizer\.json: a WordPiece model with a Precompiled normalizer/,
  ],
  [
    'a text that would not be framed',
    {
      'tokenizer.json': {
        ...good,
        post_processor: { type: 'TemplateProcessing', single: [{ Sequence: { id: 'A', type_id: 0 } }] },
      },
    },
    /tokenizer\.json: its post-processor puts no special token before a text/,
  ],
  ['half a JSON', { 'tokenizer.json': '{"model":' }, /tokenizer\.json: expected JSON/],
  ['another JSON', { 'tokenizer.json': [] }, /tokenizer\.json: at top level: .*object/],
  [
    'another model',
    { 'tokenizer.json': { ...good, model: { ...good.model, type: 'WordLevel' } } },
    /tokenizer\.json: at model\.type: only WordPiece, BPE and Unigram/,
  ],
  [
    'an id that is none',
    { 'tokenizer.json': { ...good, model: { ...good.model, vocab: { a: -1 } } } },
    /tokenizer\.json: at model\.vocab: expected an object of tokens/,
  ],
  [
    'an added token that must be a whole word',
    { 'tokenizer.json': { ...good, added_tokens: [{ id: 9, content: 'x', single_word: true }] } },
    /tokenizer\.json: added token "x" has single_word/,
  ],
  [
    'a part that nobody knows',
    { 'tokenizer.json': { ...good, normalizer: { type: 'Nonsense' } } },
    /tokenizer\.json: .*Nonsense/,
  ],
  [
    'a regular expression, which may take for ever',
    {
      'tokenizer.json': {
        ...good,
        normalizer: {
          type: 'Sequence',
          normalizers: [{ type: 'Replace', pattern: { Regex: '(a+)+$' }, content: '' }],
        },
      },
    },
    /tokenizer\.json: .*regular expression/,
  ],
  ['no special tokens', { 'vocab.txt': 'a\nb\n' }, /vocab\.txt: the vocabulary has no \[UNK\]/],
  ['no [SEP]', { 'vocab.txt': '[UNK]\n[CLS]\n' }, /vocab\.txt: the vocabulary has no \[SEP\]/],
  [
    'a setting of the wrong type',
    { 'vocab.txt': VOCAB, 'tokenizer_config.json': { do_lower_case: 'yes' } },
    /tokenizer_config\.json: .*do_lower_case/s,
  ],
])('says what is wrong: %s', async (_, files, message) => {
  for (const [name, content] of Object.entries(files)) await put(name, content);
  await expect(TextTokenizer.load(directory, { rule: 'cls-sep', maxLength: 8 })).rejects.toMatchObject({
    name: 'TokenizerFileError',
    message: expect.stringMatching(message),
  });
});
