import { readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import { sharedFolder } from '../../../test/shared-folder.js';
import { BertEncoder } from './bert-encoder.js';
import { createEncoder } from './create-encoder.js';
import { IdColumn } from './id-column.js';
import { LibraryEncoder } from './library-encoder.js';
import { loadTokenizerJson } from './load-tokenizer.js';
import type { TextEncoder } from './text-encoder.js';
import { tokenizerJsonOfVocab } from './vocab-file.js';

const json = tokenizerJsonOfVocab('[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nA\nb\n##b\n!\n');

function idsOf(encoder: TextEncoder, text: string): number[] {
  const column = new IdColumn();
  encoder.append(text, Infinity, column);
  return Array.from(column.slice());
}

test("takes the fast encoder for BERT's pipeline", () => {
  expect(createEncoder(json)).toBeInstanceOf(BertEncoder);
  expect(createEncoder({ ...json, normalizer: { type: 'BertNormalizer' } })).toBeInstanceOf(BertEncoder);
});

test.each([
  ['another normaliser', { normalizer: { type: 'NFC' } }],
  ['no normaliser', { normalizer: null }],
  ['another pre-tokeniser', { pre_tokenizer: { type: 'Whitespace' } }],
  [
    'tokens found in the normalised text',
    {
      added_tokens: [
        {
          id: 9,
          content: 'b!',
          single_word: false,
          lstrip: false,
          rstrip: false,
          special: false,
          normalized: true,
        },
      ],
    },
  ],
])('takes the library for %s', (_, difference) => {
  const encoder = createEncoder({ ...json, ...difference });
  expect(encoder).toBeInstanceOf(LibraryEncoder);
  expect(idsOf(encoder, 'bb b!').length).toBeGreaterThan(2);
});

test('the library keeps to its own normaliser', () => {
  const cased = createEncoder({ ...json, normalizer: { type: 'NFC' } });
  expect(idsOf(cased, 'Ab !')).toEqual([5, 7, 8]);
});

describe.skipIf(sharedFolder === undefined)('library and fast encoder', () => {
  test('agree on plain English', async () => {
    const english = await loadTokenizerJson(path.join(sharedFolder ?? '', 'models', 'agnews-fastbert'));
    const fast = createEncoder(english);
    const library = new LibraryEncoder(english);
    const lines = readFileSync(path.join(sharedFolder ?? '', 'data', 'agnews', 'dev.jsonl'), 'utf8').trim();
    for (const line of lines.split('\n')) {
      const { text } = z.object({ text: z.string() }).parse(JSON.parse(line));
      expect(idsOf(fast, text)).toEqual(idsOf(library, text));
    }
  });
});
