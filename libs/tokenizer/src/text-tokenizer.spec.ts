import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { TextTokenizer } from './text-tokenizer.js';
import type { SpecialTokenRule } from './special-tokens.js';
import { tokenizerJsonOfVocab } from './vocab-file.js';

const letters = Array.from('abcdefghijklmnopqrstuvwxyz0123456789é中文한');
const VOCAB = [
  '[PAD] [UNK] [CLS] [SEP] [MASK] the ##ing ! . - [ ]'.split(' '),
  letters.flatMap((letter) => [letter, `##${letter}`]),
]
  .flat()
  .join('\n');
const json = tokenizerJsonOfVocab(VOCAB);
const [UNK, CLS, SEP, MASK] = [1, 2, 3, 4];

function tokenizer(rule: SpecialTokenRule, maxLength: number): TextTokenizer {
  return new TextTokenizer(json, { rule, maxLength });
}

function idsOf(
  texts: string[],
  options: { rule?: SpecialTokenRule; maxLength?: number; pairs?: string[] } = {},
) {
  const { rule = 'cls-sep', maxLength = 1000, pairs } = options;
  return [...tokenizer(rule, maxLength).tokenize(texts, pairs).ids];
}

const id = (token: string): number => json.model.vocab[token]!;

/** Any string, lone surrogates and literal special tokens included. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom('[SEP]', '[MASK]', ' ', 'the', 'thing', '\ud800', '\udc00', '中', '!', 'e\u0301\u302e'),
      fc.string({ unit: fc.constantFrom('a', 'b', '\u200d'), minLength: 95, maxLength: 105 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

describe('rules', () => {
  test('cls-sep frames single texts and pairs', () => {
    expect(idsOf(['a', ''])).toEqual([CLS, id('a'), SEP, CLS, SEP]);
    const columns = tokenizer('cls-sep', 10).tokenize(['a', ''], ['b!', '']);
    expect([...columns.ids]).toEqual([CLS, id('a'), SEP, id('b'), id('!'), SEP, CLS, SEP, SEP]);
    expect([...columns.segments!]).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 1]);
    expect([...columns.offsets]).toEqual([0, 6, 9]);
  });

  test('cls puts [CLS] before a text and nothing after it', () => {
    expect(idsOf(['a', ''], { rule: 'cls' })).toEqual([CLS, id('a'), CLS]);
    expect(tokenizer('cls', 10).tokenize(['a']).segments).toBeUndefined();
  });

  test('cls frames pairs as cls-sep does', () => {
    expect(tokenizer('cls', 7).tokenize(['a b', 'a'], ['b b b', ''])).toEqual(
      tokenizer('cls-sep', 7).tokenize(['a b', 'a'], ['b b b', '']),
    );
  });

  test('cls-sep-sep ends a first text twice, and the second end belongs to the second text', () => {
    const columns = tokenizer('cls-sep-sep', 10).tokenize(['a', ''], ['b!', '']);
    expect([...columns.ids]).toEqual([CLS, id('a'), SEP, SEP, id('b'), id('!'), SEP, CLS, SEP, SEP, SEP]);
    expect([...columns.segments!]).toEqual([0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1]);
    expect(idsOf(['a'], { rule: 'cls-sep-sep' })).toEqual([CLS, id('a'), SEP]);
  });

  test('a literal special token is that token, unless the vocabulary says to split it', () => {
    expect(idsOf(['x[MASK]!'])).toEqual([CLS, id('x'), MASK, id('!'), SEP]);
    const splitting = new TextTokenizer(tokenizerJsonOfVocab(VOCAB, { splitSpecialTokens: true }), {
      rule: 'cls',
      maxLength: 20,
    });
    expect([...splitting.tokenize(['[a]']).ids]).toEqual([CLS, id('['), id('a'), id(']')]);
    expect(splitting.tokenize(['[MASK]']).ids).not.toContain(MASK);
  });

  test('wants one second text per text and room for text', () => {
    expect(() => tokenizer('cls-sep', 10).tokenize(['a'], [])).toThrow(/got 1 texts and 0 second texts/);
    for (const maxLength of [3, 7.5, Number.NaN]) {
      expect(() => tokenizer('cls-sep', maxLength)).toThrow(/at least 4 tokens/);
    }
    expect(() => tokenizer('cls-sep-sep', 4)).toThrow(/at least 5 tokens/);
  });
});

describe('words', () => {
  test('over 100 characters are unknown, and characters count after normalisation', () => {
    const joiners = '\u200d'.repeat(300);
    expect(idsOf(['a'.repeat(100)]).length).toBe(102);
    expect(idsOf(['a'.repeat(101)])).toEqual([CLS, UNK, SEP]);
    expect(idsOf([`${'a'.repeat(60)}${joiners}${'e\u0301'.repeat(40)}`]).length).toBe(102);
    expect(idsOf([`${'a'.repeat(60)}${joiners}${'e\u0301'.repeat(41)}`])).toEqual([CLS, UNK, SEP]);
  });

  test('a lone surrogate is no character', () => {
    expect(idsOf(['a\ud800b \udc00'])).toEqual(idsOf(['ab']));
  });

  test('a huge text costs no more than it must', () => {
    const huge = 'thing a! '.repeat(2_000_000);
    const row = tokenizer('cls-sep', 16).tokenize([huge, 'x'.repeat(20_000_000)]);
    expect(row.offsets[1]).toBe(16);
    expect([...row.ids.subarray(16)]).toEqual([CLS, UNK, SEP]);
    expect([...row.truncated]).toEqual([1, 0]);
  });
});

describe('properties', () => {
  test('a text has the same ids alone, in a batch, and where its words were seen before', () => {
    const shared = tokenizer('cls-sep', 32);
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 6 }), (texts) => {
        const alone = texts.flatMap((text) => [...tokenizer('cls-sep', 32).tokenize([text]).ids]);
        expect([...tokenizer('cls-sep', 32).tokenize(texts).ids]).toEqual(alone);
        expect([...shared.tokenize(texts).ids]).toEqual(alone);
      }),
    );
  });

  test('cutting keeps the first tokens and says so', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 4, max: 40 }), (text, maxLength) => {
        const full = idsOf([text], { rule: 'cls', maxLength: 100_000 });
        const cut = tokenizer('cls', maxLength).tokenize([text]);
        expect([...cut.ids]).toEqual(full.slice(0, maxLength));
        expect(cut.truncated[0]).toBe(full.length > maxLength ? 1 : 0);
      }),
    );
  });

  test('a pair keeps the first tokens of both texts', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.integer({ min: 4, max: 40 }), (first, second, maxLength) => {
        const { ids, segments, truncated } = tokenizer('cls-sep', maxLength).tokenize([first], [second]);
        const [full, fullSecond] = [first, second].map((text) => idsOf([text], { maxLength: 100_000 }));
        const split = segments!.indexOf(1);
        const kept = [...ids.subarray(1, split - 1)];
        const keptSecond = [...ids.subarray(split, -1)];
        expect(kept).toEqual(full!.slice(1, 1 + kept.length));
        expect(keptSecond).toEqual(fullSecond!.slice(1, 1 + keptSecond.length));
        const all = full!.length + fullSecond!.length - 1;
        expect(ids.length).toBe(Math.min(all, maxLength));
        expect(truncated[0]).toBe(all > maxLength ? 1 : 0);
      }),
    );
  });
});
