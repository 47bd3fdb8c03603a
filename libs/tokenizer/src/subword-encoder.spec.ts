import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { familyTokenizer } from '../../../test/tokenizer-fixtures.js';
import { parseTokenizerJson } from './parse-tokenizer-json.js';
import { specialTokenCount, specialTokenRules } from './special-tokens.js';
import { startTokenizer } from './start-tokenizer.js';
import { TextTokenizer } from './text-tokenizer.js';

const FAMILIES = ['roberta', 'metaspace-bpe', 'xlm-roberta', 'unigram-replace'];

/** Any string, lone surrogates and literal special tokens included. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(
        '<mask>',
        '</s>',
        ' ',
        '  ',
        'the',
        "'s",
        '\ud800',
        '\udc00',
        '中',
        '\r\n',
        'e\u0301',
        '▁',
      ),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

describe.each(FAMILIES)('%s', (name) => {
  const json = parseTokenizerJson(familyTokenizer(name), name);

  test('a row has the first tokens of its texts, and as many as fit', () => {
    const whole = new TextTokenizer(json, { rule: 'cls', maxLength: 10_000 });
    fc.assert(
      fc.property(
        fc.constantFrom(...specialTokenRules),
        anyText,
        fc.option(anyText, { nil: undefined }),
        fc.integer({ min: 5, max: 30 }),
        (rule, first, second, maxLength) => {
          const cut = new TextTokenizer(json, { rule, maxLength });
          const row = second === undefined ? cut.tokenize([first]) : cut.tokenize([first], [second]);
          const full = [...whole.tokenize([first]).ids];
          const fullSecond = second === undefined ? [] : [...whole.tokenize([second]).ids.subarray(1)];
          const wanted = full.length - 1 + fullSecond.length + specialTokenCount(rule, second !== undefined);
          expect(row.ids.length).toBe(Math.min(wanted, maxLength));
          expect(row.truncated[0]).toBe(wanted > maxLength ? 1 : 0);
          const split = row.segments === undefined ? row.ids.length : row.segments.indexOf(1);
          const ends = rule === 'cls' && second === undefined ? 0 : 1;
          const kept = [...row.ids.subarray(0, split - ends)];
          expect(kept).toEqual(full.slice(0, kept.length));
          const keptSecond = [...row.ids.subarray(split + (rule === 'cls-sep-sep' ? 1 : 0), -1)];
          if (second !== undefined) expect(keptSecond).toEqual(fullSecond.slice(0, keptSecond.length));
        },
      ),
    );
  });

  test('a text has the same ids alone and where its words were seen before', () => {
    const shared = new TextTokenizer(json, { rule: 'cls', maxLength: 40 });
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 4 }), (texts) => {
        const alone = texts.flatMap((text) => [
          ...new TextTokenizer(json, { rule: 'cls', maxLength: 40 }).tokenize([text]).ids,
        ]);
        expect([...shared.tokenize(texts).ids]).toEqual(alone);
      }),
      { numRuns: 30 },
    );
  });

  // Steps that grow with the square of a text would take hours here.
  test('huge words', () => {
    const million = 2 ** 20;
    const huge = ['a', ' ', '\u0301', '\ud83d', '\0'].map((unit) => unit.repeat(million / 4));
    const { offsets, truncated } = new TextTokenizer(json, { rule: 'cls-sep', maxLength: 16 }).tokenize([
      'the'.repeat(million / 3),
      ...huge,
      `<mask>${' '.repeat(million)}x`,
    ]);
    expect(offsets.at(-1)).toBeLessThanOrEqual(7 * 16);
    expect(truncated[0]).toBe(1);
  });

  test('threads give what the calling thread gives', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'sluice-family-'));
    await writeFile(path.join(directory, 'tokenizer.json'), JSON.stringify(json));
    const options = { directory, rule: 'cls-sep-sep', maxLength: 12 } as const;
    const pool = await startTokenizer({ ...options, threads: 1 });
    const texts = ['Hello <mask> world', "it's \u4e2d\u6587 \ud83d\ude00", ''];
    try {
      expect(await pool.tokenize(texts, texts)).toEqual(
        (await TextTokenizer.load(directory, options)).tokenize(texts, texts),
      );
    } finally {
      await pool.close();
      await rm(directory, { recursive: true });
    }
  });
});
