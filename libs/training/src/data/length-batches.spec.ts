import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lengthBatches } from './length-batches.js';

const lengthsOf = fc.array(fc.integer({ min: 1, max: 128 }), { minLength: 1, maxLength: 400 });

describe('lengthBatches', () => {
  it('has every row once, and no batch above the budget but a row that is longer', () => {
    fc.assert(
      fc.property(lengthsOf, fc.integer({ min: 1, max: 600 }), fc.nat(), (all, batchTokens, seed) => {
        const lengths = Int32Array.from(all);
        const batches = lengthBatches(lengths, batchTokens, [seed]);
        const rows = batches.flatMap((batch) => [...batch]);
        expect(rows.toSorted((a, b) => a - b)).toEqual([...lengths.keys()]);
        for (const batch of batches) {
          const padded = batch.length * Math.max(...batch.map((row) => lengths[row]!));
          expect(batch.length === 1 || padded <= batchTokens).toBe(true);
        }
      }),
    );
  });

  it('is the same for the same seeds, and another in another epoch', () => {
    const lengths = Int32Array.from({ length: 500 }, (_, row) => 1 + (row % 60));
    expect(lengthBatches(lengths, 256, [1, 2])).toEqual(lengthBatches(lengths, 256, [1, 2]));
    expect(lengthBatches(lengths, 256, [1, 2])).not.toEqual(lengthBatches(lengths, 256, [1, 3]));
  });

  it('wastes little on padding', () => {
    const lengths = Int32Array.from({ length: 5000 }, (_, row) => 5 + ((row * 7919) % 120));
    const batches = lengthBatches(lengths, 2048, [1]);
    const padded = batches.reduce(
      (sum, batch) => sum + batch.length * Math.max(...batch.map((row) => lengths[row]!)),
      0,
    );
    expect(padded / lengths.reduce((sum, length) => sum + length, 0)).toBeLessThan(1.05);
  });
});
