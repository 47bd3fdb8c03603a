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
    expect(storedName(name, new Set())).toBe(stored);
  });

  it('is never one that is taken', () => {
    const taken = new Set(['a_b.csv.gz', 'a_b_2.csv.gz']);
    expect(storedName('a=b.csv.gz', taken)).toBe('a_b_3.csv.gz');
  });

  it('is short, and stays in its folder, whatever it was', () => {
    expect(storedName(`${'ö'.repeat(5000)}.jsonl.gz`, new Set())).toBe(`${'ö'.repeat(85)}.jsonl.gz`);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (name) => {
        const stored = storedName(name, new Set());
        if (stored === undefined) return;
        expect(stored).toMatch(/^[\p{L}\p{N}_][\p{L}\p{M}\p{N} ._()+-]*$/u);
        expect(Buffer.byteLength(stored)).toBeLessThanOrEqual(200);
      }),
    );
  });
});
