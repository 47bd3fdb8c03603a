import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { savedAxis, shareAxis, tickText } from './axes.js';

it('puts equal factors of work at equal distances', () => {
  const axis = savedAxis([0, 0.99], 100, 700);
  const steps = [0, 0.5, 0.75, 0.875].map((saved) => axis.at(saved));
  expect(steps[0]).toBe(100);
  expect(steps[2]! - steps[1]!).toBeCloseTo(steps[1]! - steps[0]!, 9);
  expect(steps[3]! - steps[2]!).toBeCloseTo(steps[1]! - steps[0]!, 9);
  expect(axis.ticks).toEqual([0, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99]);
  expect(savedAxis([-0.02, 0.3], 0, 1).ticks).toEqual([0, 0.1, 0.2, 0.3]);
});

it('has room for every point, ticks included', () => {
  const shares = fc.array(fc.double({ min: -0.1, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(shares, (shares) => {
      const x = savedAxis(shares, 50, 750);
      for (const share of [...shares, ...x.ticks]) {
        expect(x.at(share)).toBeGreaterThanOrEqual(49.999);
        expect(x.at(share)).toBeLessThanOrEqual(750.001);
      }
      const known = shares.map((share) => Math.max(0, share));
      const y = shareAxis(known, 500, 100);
      for (const share of [...known, ...y.ticks]) {
        expect(y.at(share)).toBeLessThanOrEqual(500.001);
        expect(y.at(share)).toBeGreaterThanOrEqual(99.999);
      }
      expect(y.ticks.length).toBeLessThanOrEqual(8);
      const step = y.ticks[1]! - y.ticks[0]!;
      expect(new Set(y.ticks.map((tick) => tickText(tick, step))).size).toBe(y.ticks.length);
    }),
  );
});

it('writes ticks with the digits that they need', () => {
  expect(tickText(0.975, 0.005)).toBe('97.5 %');
  expect(tickText(0.9, 0.1)).toBe('90 %');
  expect(tickText(1, 0.0002)).toBe('100.00 %');
});
