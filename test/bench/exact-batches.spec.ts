import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { exactBatches } from './exact-batches.js';

it('puts every row into a batch of its own length, as full as the tokens allow', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 40 }), (lengths, batchTokens) => {
      const offsets = new Int32Array(lengths.length + 1);
      lengths.forEach((length, row) => (offsets[row + 1] = offsets[row]! + length));
      const ids = new Int32Array(offsets.at(-1)!);
      const batches = exactBatches({ ids, offsets, truncated: new Uint8Array(lengths.length) }, batchTokens);
      for (const wanted of new Set(lengths)) {
        const own = batches.filter(({ length }) => length === wanted).map(({ rows }) => rows);
        const capacity = Math.max(1, Math.floor(batchTokens / wanted));
        expect(own.reduce((sum, rows) => sum + rows, 0)).toBe(lengths.filter((l) => l === wanted).length);
        expect(own.slice(0, -1).every((rows) => rows === capacity)).toBe(true);
        expect(own.at(-1)).toBeLessThanOrEqual(capacity);
      }
    }),
  );
});
