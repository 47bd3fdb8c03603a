import { readFileSync } from 'node:fs';
import { mkdtemp, rm, copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';

import type { TokenColumns } from '#pipeline/columns.js';

import { sharedFolder } from '../../../test/shared-folder.js';
import { TokenHash } from '../../../test/token-hash.js';
import { BertEncoder } from './bert-encoder.js';
import { BertNormalizer } from './bert-normalizer.js';
import { createEncoder } from './create-encoder.js';
import { IdColumn } from './id-column.js';
import { loadTokenizerJson } from './load-tokenizer.js';
import { TextTokenizer } from './text-tokenizer.js';
import type { TokenizerJson } from './tokenizer-json.js';

const NO_LIMIT = 2 ** 31 - 1;

const ids = z.array(z.int());
const language = z.enum(['english', 'chinese']);

const hostile = z
  .object({
    maxLength: z.int(),
    pairs: z.record(z.string(), z.string()),
    rows: z.array(z.object({ text: z.string(), normalized: z.string(), english: ids, chinese: ids })),
  })
  .parse(fixture('hostile.json'));

const dataSets = z
  .object({
    sets: z.array(
      z.object({
        file: z.string(),
        tokenizer: language,
        rows: z.int(),
        tokens: z.int(),
        full: z.string(),
        cutTo32: z.string(),
        pairsCutTo64: z.string(),
        pairsCutTo65: z.string(),
      }),
    ),
  })
  .parse(fixture('data-sets.json'));

const sweep = z
  .object({
    blocks: z.record(language, z.record(z.string(), z.string())),
    variants: z.array(
      z.object({
        normalizer: z.object({
          clean_text: z.boolean(),
          handle_chinese_chars: z.boolean(),
          strip_accents: z.boolean().nullable(),
          lowercase: z.boolean(),
        }),
        ids: z.string(),
        normalized: z.string(),
      }),
    ),
  })
  .parse(fixture('sweep.json'));

test('hostile texts, normalised', () => {
  const normalizer = new BertNormalizer({
    cleanText: true,
    isolateIdeographs: true,
    stripAccents: true,
    lowercase: true,
  });
  expect(hostile.rows.map(({ text }) => normalizer.normalize(text))).toEqual(
    hostile.rows.map(({ normalized }) => normalized),
  );
});

/** Ids identical to Python's, which the fixtures hold; test/fixtures/tokenizer has the scripts that made them. */
describe.skipIf(sharedFolder === undefined)('the reference tokeniser', () => {
  const json = new Map<z.infer<typeof language>, TokenizerJson>();
  let vocabOnly: string;

  beforeAll(async () => {
    json.set('english', await loadTokenizerJson(sharedPath('models', 'agnews-fastbert')));
    vocabOnly = await mkdtemp(path.join(tmpdir(), 'sluice-vocab-'));
    await copyFile(
      sharedPath('oracle', 'bitvoyage-bert-tiny', 'vocab.txt'),
      path.join(vocabOnly, 'vocab.txt'),
    );
    json.set('chinese', await loadTokenizerJson(vocabOnly));
  });

  afterAll(() => rm(vocabOnly, { recursive: true }));

  function tokenizer(kind: z.infer<typeof language>, maxLength: number): TextTokenizer {
    return new TextTokenizer(json.get(kind)!, { rule: 'cls-sep', maxLength });
  }

  test.each(dataSets.sets)('$file', (set) => {
    const texts = readTexts(set.file);
    const full = tokenizer(set.tokenizer, NO_LIMIT).tokenize(texts);
    expect(texts.length).toBe(set.rows);
    expect(full.ids.length).toBe(set.tokens);
    expect(hashOf(full)).toBe(set.full);
    expect(hashOf(tokenizer(set.tokenizer, 32).tokenize(texts))).toBe(set.cutTo32);
    const next = [...texts.slice(1), ...texts.slice(0, 1)];
    expect(hashOf(tokenizer(set.tokenizer, 64).tokenize(texts, next))).toBe(set.pairsCutTo64);
    expect(hashOf(tokenizer(set.tokenizer, 65).tokenize(texts, next))).toBe(set.pairsCutTo65);
  });

  test.each(language.options)('hostile texts, %s vocabulary', (kind) => {
    const columns = tokenizer(kind, hostile.maxLength).tokenize(hostile.rows.map(({ text }) => text));
    const found = hostile.rows.map((_, row) => [...idsOfRow(columns, row)]);
    expect(found).toEqual(hostile.rows.map((row) => row[kind]));
  });

  test.each(Object.entries(hostile.pairs))('pairs of hostile texts: %s', (name, expected) => {
    const [, kind, maxLength] = /^(\w+)PairsCutTo(\d+)$/.exec(name)!;
    const texts = hostile.rows.map(({ text }) => text);
    const next = [...texts.slice(1), ...texts.slice(0, 1)];
    const columns = tokenizer(language.parse(kind), Number(maxLength)).tokenize(texts, next);
    expect(hashOf(columns)).toBe(expected);
  });

  test.each(language.options)('every code point in a word, %s vocabulary', (kind) => {
    const encoder = createEncoder(json.get(kind)!);
    const column = new IdColumn();
    const blocks = Object.entries(sweep.blocks[kind]).map(([start]) => {
      const hash = new TokenHash();
      for (const text of sweptTexts(Number.parseInt(start, 16), 0x1000)) {
        column.cut(0);
        encoder.append(text, NO_LIMIT, column);
        hash.row(column.slice());
      }
      return [start, hash.hex()];
    });
    expect(Object.fromEntries(blocks)).toEqual(sweep.blocks[kind]);
  });

  test.each(sweep.variants)('every code point of three planes, with $normalizer', (variant) => {
    const settings = variant.normalizer;
    const english = json.get('english')!;
    const encoder = createEncoder({ ...english, normalizer: { type: 'BertNormalizer', ...settings } });
    expect(encoder).toBeInstanceOf(BertEncoder);
    const normalizer = new BertNormalizer({
      cleanText: settings.clean_text,
      isolateIdeographs: settings.handle_chinese_chars,
      stripAccents: settings.strip_accents ?? settings.lowercase,
      lowercase: settings.lowercase,
    });
    const idHash = new TokenHash();
    const textHash = new TokenHash();
    const column = new IdColumn();
    for (const text of sweptTexts(0, 0x30000)) {
      column.cut(0);
      encoder.append(text, NO_LIMIT, column);
      idHash.row(column.slice());
      textHash.text(normalizer.normalize(text));
    }
    expect({ ids: idHash.hex(), normalized: textHash.hex() }).toEqual({
      ids: variant.ids,
      normalized: variant.normalized,
    });
  });

  test('vocab.txt means the same as the tokenizer.json beside it', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'sluice-vocab-'));
    await copyFile(sharedPath('models', 'agnews-fastbert', 'vocab.txt'), path.join(directory, 'vocab.txt'));
    const { added_tokens, model, normalizer, post_processor, pre_tokenizer } =
      await loadTokenizerJson(directory);
    await rm(directory, { recursive: true });
    const known = json.get('english')!;
    expect({ added_tokens, model, normalizer, post_processor, pre_tokenizer }).toEqual({
      added_tokens: known.added_tokens,
      model: known.model,
      normalizer: known.normalizer,
      post_processor: known.post_processor,
      pre_tokenizer: known.pre_tokenizer,
    });
  });
});

function sharedPath(...parts: string[]): string {
  return path.join(sharedFolder ?? '', ...parts);
}

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(path.join('test', 'fixtures', 'tokenizer', name), 'utf8'));
}

function readTexts(file: string): string[] {
  const lines = readFileSync(sharedPath('data', file), 'utf8').replace(/\n$/, '').split('\n');
  if (file.endsWith('.jsonl'))
    return lines.map((line) => z.object({ text: z.string() }).parse(JSON.parse(line)).text);
  if (file.startsWith('sst2/')) return lines.slice(1).map((line) => line.split('\t')[0]!);
  return lines.map((line) => line.split('\t')[1]!);
}

function* sweptTexts(start: number, count: number): Generator<string> {
  for (let codePoint = start; codePoint < start + count; codePoint += 1) {
    if (codePoint < 0xd800 || codePoint > 0xdfff) yield `a${String.fromCodePoint(codePoint)}b`;
  }
}

function idsOfRow({ ids, offsets }: TokenColumns, row: number): Int32Array {
  return ids.subarray(offsets[row], offsets[row + 1]);
}

function hashOf(columns: TokenColumns): string {
  const hash = new TokenHash();
  for (let row = 0; row + 1 < columns.offsets.length; row += 1) {
    hash.row(idsOfRow(columns, row));
    if (columns.segments) hash.row(columns.segments.subarray(columns.offsets[row], columns.offsets[row + 1]));
  }
  return hash.hex();
}
