import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { storedName } from './stored-name.js';

describe('the name of an uploaded file', () => {
  it.each([
    ['mails.jsonl', 'mails.jsonl'],
    ['export (1).jsonl', 'export (1).jsonl'],
    ['a+b.csv.gz', 'a+b.csv.gz'],
    ['Größe 2024-05.csv', 'Größe 2024-05.csv'],
    ['Gro\u0308ße.csv', 'Gro\u0308ße.csv'],
    ['a&b;[c]*?.jsonl', 'a_b__c___.jsonl'],
    ['.hidden.txt', '_.hidden.txt'],
    ['-rf.txt', '_-rf.txt'],
    ['a\0\n.txt', 'a__.txt'],
    ['..', undefined],
    ['~', undefined],
    ['', undefined],
  ])('%j becomes %j', (name, stored) => {
    expect(storedName(name, new Map())).toBe(stored);
  });

  it('is never one that is taken', () => {
    const taken = new Map<string, number>();
    const names = ['a_b_2.csv.gz', 'a_b.csv.gz', 'a=b.csv.gz', 'a&b.csv.gz', 'a_b_2.csv.gz', 'a_b.csv.gz'];
    expect(names.map((name) => storedName(name, taken))).toEqual([
      'a_b_2.csv.gz',
      'a_b.csv.gz',
      'a_b_3.csv.gz',
      'a_b_4.csv.gz',
      'a_b_2_2.csv.gz',
      'a_b_5.csv.gz',
    ]);
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[ab]{1,2}(_[23]){0,2}$/), { maxLength: 60 }), (given) => {
        const all = new Map<string, number>();
        const stored = given.map((name) => storedName(name, all));
        expect(new Set(stored).size).toBe(given.length);
      }),
    );
  });

  it('is short, and stays in its folder, whatever it was', () => {
    expect(storedName(`${'ö'.repeat(5000)}.jsonl.gz`, new Map())).toBe(`${'ö'.repeat(85)}.jsonl.gz`);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (name) => {
        const stored = storedName(name, new Map());
        if (stored === undefined) return;
        expect(stored).toMatch(/^[\p{L}\p{N}_][\p{L}\p{M}\p{N} ._()+-]*$/u);
        expect(Buffer.byteLength(stored)).toBeLessThanOrEqual(200);
      }),
    );
  });
});
