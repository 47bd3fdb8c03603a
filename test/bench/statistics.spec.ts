import { describe, expect, it } from 'vitest';
import { orderOfRound } from './alternate.js';
import { fitLine, ratioWithinRounds, spreadOf } from './statistics.js';

describe('spreadOf', () => {
  it('gives the middle value, or the mean of the middle two', () => {
    expect(spreadOf([10, 2, 3])).toEqual({ median: 3, least: 2, most: 10 });
    expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, least: 1, most: 4 });
  });

  it('refuses nothing and what is no number', () => {
    expect(() => spreadOf([])).toThrow(RangeError);
    expect(() => spreadOf([1, Number.NaN])).toThrow(RangeError);
  });
});

describe('ratioWithinRounds', () => {
  it('divides within rounds, whatever the order in which they ran', () => {
    const times = [1, 2, 4].map((value, round) => ({ round, value }));
    const doubled = times.map(({ round, value }) => ({ round, value: 2 * value })).toReversed();
    expect(ratioWithinRounds(doubled, times)).toEqual({ median: 2, least: 2, most: 2 });
  });

  it('refuses sides of different rounds', () => {
    expect(() => ratioWithinRounds([{ round: 0, value: 1 }], [{ round: 1, value: 1 }])).toThrow(RangeError);
    expect(() => ratioWithinRounds([{ round: 0, value: 1 }], [])).toThrow(RangeError);
  });
});

describe('fitLine', () => {
  it('finds the line that points lie on', () => {
    const line = fitLine([1, 2, 5].map((x) => ({ x, y: 3 - 2 * x })));
    expect(line.slope).toBeCloseTo(-2);
    expect(line.intercept).toBeCloseTo(3);
  });

  it('refuses points that have no slope', () => {
    expect(() => fitLine([{ x: 1, y: 1 }])).toThrow(RangeError);
  });
});

describe('orderOfRound', () => {
  it('has each variant once, and others first and last in the next round', () => {
    const orders = [0, 1, 2, 3].map((round) => orderOfRound(['a', 'b', 'c'], round));
    expect(orders).toEqual([
      ['a', 'b', 'c'],
      ['c', 'b', 'a'],
      ['b', 'c', 'a'],
      ['a', 'c', 'b'],
    ]);
  });
});
