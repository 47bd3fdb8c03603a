import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import { TokenHash } from '../../../test/token-hash.js';
import { familyTokenizer, nmtNfkc, recordedTokens } from '../../../test/tokenizer-fixtures.js';
import { byteLevelWords, spellBytes } from './byte-level.js';
import { Charsmap } from './charsmap.js';
import { createEncoder } from './create-encoder.js';
import { IdColumn } from './id-column.js';
import { parseTokenizerJson } from './parse-tokenizer-json.js';
import { ruleOfTokenizer } from './special-tokens.js';
import { TextTokenizer } from './text-tokenizer.js';
import { largestTokenId } from './tokenizer-json.js';

const NO_LIMIT = 2 ** 31 - 1;

const recorded = z
  .object({
    maxLength: z.int(),
    texts: z.array(z.string()),
    normalized: z.record(z.string(), z.string()),
    normalizedSweep: z.string(),
    words: z.array(z.array(z.string())),
    wordLengthsSweep: z.string(),
    tokenizers: z.record(
      z.string(),
      z.object({
        ids: z.array(z.array(z.int())),
        full: z.string(),
        pairsCutTo: z.record(z.string(), z.string()),
      }),
    ),
    swept: z.record(z.string(), z.string()),
  })
  .parse(recordedTokens());
const { texts } = recorded;
const next = [...texts.slice(1), ...texts.slice(0, 1)];

/** Ids identical to Python's; test/fixtures/tokenizer-families has the script that recorded them. */
describe.each(Object.entries(recorded.tokenizers))('%s', (name, expected) => {
  const json = parseTokenizerJson(familyTokenizer(name), `${name}.json`);
  const rule = ruleOfTokenizer(json);

  test('hostile texts, cut', () => {
    const { ids, offsets } = new TextTokenizer(json, { rule, maxLength: recorded.maxLength }).tokenize(texts);
    const rows = texts.map((text, row) => [text, ...ids.subarray(offsets[row], offsets[row + 1])]);
    expect(rows).toEqual(texts.map((text, row) => [text, ...expected.ids[row]!]));
  });

  test('hostile texts, whole', () => {
    const { ids, offsets } = new TextTokenizer(json, { rule, maxLength: NO_LIMIT }).tokenize(texts);
    const hash = new TokenHash();
    texts.forEach((_, row) => hash.row(ids.subarray(offsets[row], offsets[row + 1])));
    expect(hash.hex()).toBe(expected.full);
    expect(largestTokenId(json)).toBeGreaterThanOrEqual(ids.reduce((a, b) => Math.max(a, b)));
  });

  test.each(Object.entries(expected.pairsCutTo))('pairs, cut to %s', (maxLength, hashed) => {
    const tokenizer = new TextTokenizer(json, { rule, maxLength: Number(maxLength) });
    const { ids, offsets } = tokenizer.tokenize(texts, next);
    const hash = new TokenHash();
    texts.forEach((_, row) => hash.row(ids.subarray(offsets[row], offsets[row + 1])));
    expect(hash.hex()).toBe(hashed);
  });
});

test.each(Object.entries(recorded.swept))('every code point of four planes, %s', (name, hashed) => {
  const encoder = createEncoder(parseTokenizerJson(familyTokenizer(name), name));
  const column = new IdColumn();
  const hash = new TokenHash();
  for (const text of sweep()) {
    column.cut(0);
    encoder.append(text, NO_LIMIT, column);
    hash.row(column.slice());
  }
  expect(hash.hex()).toBe(hashed);
});

test('rules by the post-processor', () => {
  const rules = Object.keys(recorded.tokenizers).map((name) => [
    name,
    ruleOfTokenizer(parseTokenizerJson(familyTokenizer(name), name)),
  ]);
  expect(Object.fromEntries(rules)).toEqual({
    roberta: 'cls-sep-sep',
    'roberta-prefix': 'cls-sep-sep',
    'metaspace-bpe': 'cls-sep-sep',
    'xlm-roberta': 'cls-sep-sep',
    'unigram-replace': 'cls-sep',
    'wordpiece-cased': 'cls-sep',
  });
});

test('the charsmap of SentencePiece', () => {
  const charsmap = new Charsmap(nmtNfkc());
  expect(texts.map((text) => charsmap.normalize(text))).toEqual(
    texts.map((text) => recorded.normalized[text] ?? text),
  );
  const hash = new TokenHash();
  for (const text of sweep()) hash.text(charsmap.normalize(text));
  expect(hash.hex()).toBe(recorded.normalizedSweep);
});

test('words of byte-level tokenizers', () => {
  const short = texts.filter((text) => Array.from(text).length < 500);
  expect(short.map((text) => Array.from(byteLevelWords(text), spellBytes))).toEqual(recorded.words);
  const hash = new TokenHash();
  for (const text of sweep()) {
    hash.row(Int32Array.from(byteLevelWords(text), (word) => spellBytes(word).length));
  }
  expect(hash.hex()).toBe(recorded.wordLengthsSweep);
});

/** As make_fixtures.py has it. */
function* sweep(): Generator<string> {
  for (const plane of [0, 1, 2, 14]) {
    for (let start = plane << 16; start < (plane + 1) << 16; start += 64) {
      let text = '';
      for (let codePoint = start; codePoint < start + 64; codePoint += 1) {
        if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue;
        const character = String.fromCodePoint(codePoint);
        text += `a${character}1 e${character}\u0301 ${character}!`;
      }
      if (text !== '') yield text;
    }
  }
}
