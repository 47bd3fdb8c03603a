import { describe, expect, it } from 'vitest';
import { expectedExits } from './expected-exits.js';

const exits = [0, 2, 6].map((layer) => ({ layer, kind: 'fastbert' as const, size: 4, heads: 1 }));
const measured = {
  exits,
  quality: {
    texts: 10,
    exits: [],
    leaving: [
      { speed: 0, shares: [0, 0, 1] },
      { speed: 0.2, shares: [0.5, 0.25, 0.25] },
      { speed: 0.4, shares: [0.75, 0.25, 0] },
    ],
  },
};
const speed = (value: number): Map<number, number> => new Map([0, 2, 6].map((layer) => [layer, value]));
const shares = (value: number): number[] => [...(expectedExits(measured, speed(value))?.values() ?? [])];

describe('expectedExits', () => {
  it('are those of a measured speed', () => {
    expect(expectedExits(measured, speed(0.2))).toEqual(
      new Map([
        [0, 0.5],
        [2, 0.25],
        [6, 0.25],
      ]),
    );
  });

  it('lie between those of two measured speeds, and end with the last', () => {
    expect(shares(0.1)).toEqual([0.25, 0.125, 0.625]);
    expect(shares(0.9)).toEqual([0.75, 0.25, 0]);
  });

  it('are those of the speed, whatever the threshold of the last exit', () => {
    expect(expectedExits(measured, speed(0.2).set(6, 0))?.get(0)).toBe(0.5);
  });

  it('are unknown where exits have thresholds of their own, or nothing was measured', () => {
    expect(expectedExits(measured, speed(0.2).set(2, 0.3))).toBeUndefined();
    expect(expectedExits({ exits, quality: null }, speed(0.2))).toBeUndefined();
    expect(expectedExits({ exits, quality: { texts: 10, exits: [] } }, speed(0.2))).toBeUndefined();
  });
});
