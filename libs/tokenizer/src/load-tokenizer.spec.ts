import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { loadTokenizerJson } from './load-tokenizer.js';
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

const good = tokenizerJsonOfVocab(VOCAB);

test.each([
  ['neither file', {}, /expected tokenizer\.json or vocab\.txt here; found neither/],
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
