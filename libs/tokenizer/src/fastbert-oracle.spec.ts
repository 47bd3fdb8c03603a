import { readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import { sharedFolder } from '../../../test/shared-folder.js';
import { TextTokenizer } from './text-tokenizer.js';
import { tokenizerJsonOfVocab } from './vocab-file.js';

const row = z.object({ text: z.string(), ids: z.array(z.int()) });

/** What both implementations of FastBERT made of the oracle's texts, the hostile ones included. */
describe.skipIf(sharedFolder === undefined)('FastBERT', () => {
  test.each([
    ['bitvoyage-bert-tiny', true],
    ['bitvoyage-ernie-tiny', true],
    ['original-en-tiny', false],
    ['original-zh-tiny', false],
  ])('ids of %s', (folder, splitSpecialTokens) => {
    const read = (name: string): string =>
      readFileSync(path.join(sharedFolder ?? '', 'oracle', folder, name), 'utf8');
    const json = tokenizerJsonOfVocab(read('vocab.txt'), { splitSpecialTokens });
    const rows = read('expected.jsonl')
      .trim()
      .split('\n')
      .map((line) => row.parse(JSON.parse(line)));
    const { ids, offsets } = new TextTokenizer(json, { rule: 'cls', maxLength: 128 }).tokenize(
      rows.map(({ text }) => text),
    );
    expect(rows.length).toBeGreaterThan(70);
    expect(rows.map(({ text }, i) => [text, ...ids.subarray(offsets[i], offsets[i + 1])])).toEqual(
      rows.map(({ text, ids: expected }) => [text, ...expected]),
    );
  });
});
