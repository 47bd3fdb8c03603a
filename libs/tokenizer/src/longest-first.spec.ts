import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { longestFirst } from './longest-first.js';

test('keeps what fits', () => {
  expect(longestFirst(3, 4, 7)).toEqual([3, 4]);
});

test('cuts the longer text alone where that is enough', () => {
  expect(longestFirst(3, 40, 10)).toEqual([3, 7]);
  expect(longestFirst(40, 3, 10)).toEqual([7, 3]);
});

test('gives the odd token to the longer text, on a tie to the second', () => {
  expect(longestFirst(9, 8, 7)).toEqual([4, 3]);
  expect(longestFirst(8, 9, 7)).toEqual([3, 4]);
  expect(longestFirst(9, 9, 7)).toEqual([3, 4]);
});

test('uses the whole budget and never more than a text has', () => {
  const tokens = fc.nat(60);
  fc.assert(
    fc.property(tokens, tokens, tokens, (first, second, budget) => {
      const [kept, keptSecond] = longestFirst(first, second, budget);
      expect(kept + keptSecond).toBe(Math.min(budget, first + second));
      expect(kept).toBeLessThanOrEqual(first);
      expect(keptSecond).toBeLessThanOrEqual(second);
    }),
  );
});
