import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { proportion } from './proportion.js';

describe('proportion', () => {
  it.each([
    // Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I.
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('gives the published interval of %i of %i', (part, whole, low, high) => {
    const found = proportion(part, whole);
    expect(found.low).toBeCloseTo(low, 4);
    expect(found.high).toBeCloseTo(high, 4);
  });

  it('contains the share, stays within 0..1, and narrows as rows are added', () => {
    const counts = fc
      .integer({ min: 1, max: 1_000_000 })
      .chain((whole) => fc.record({ whole: fc.constant(whole), part: fc.nat(whole) }));
    fc.assert(
      fc.property(counts, ({ part, whole }) => {
        const { share, low, high } = proportion(part, whole);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(share);
        expect(high).toBeGreaterThanOrEqual(share);
        expect(high).toBeLessThanOrEqual(1);
        const more = proportion(part * 4, whole * 4);
        expect(more.high - more.low).toBeLessThan(high - low);
      }),
    );
  });

  it('knows nothing of no rows', () => {
    expect(proportion(0, 0)).toEqual({ part: 0, whole: 0, share: 0, low: 0, high: 1 });
  });
});
