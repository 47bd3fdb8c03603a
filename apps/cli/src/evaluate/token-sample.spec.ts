import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TokenColumns } from '#pipeline/columns.js';
import { TokenSample } from './token-sample.js';

/** Row r of a corpus: r % 3 + 1 tokens, all of them r. */
function rowsOf(first: number, count: number, pair: boolean): TokenColumns {
  const rows = Array.from({ length: count }, (_, index) => first + index);
  const ids = Int32Array.from(rows.flatMap((row) => Array.from({ length: (row % 3) + 1 }, () => row)));
  const offsets = new Int32Array(count + 1);
  for (const [index, row] of rows.entries()) offsets[index + 1] = offsets[index]! + (row % 3) + 1;
  const truncated = Uint8Array.from(rows, (row) => row % 2);
  return { ids, segments: pair ? ids.map((id) => id % 2) : undefined, offsets, truncated };
}

it('keeps so many rows at even distances, whole, however the corpus comes', () => {
  const chunks = fc.array(fc.nat(40), { maxLength: 8 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), chunks, fc.boolean(), (most, chunks, pair) => {
      const sample = new TokenSample(most);
      let rows = 0;
      for (const count of chunks) {
        sample.add(rowsOf(rows, count, pair));
        rows += count;
      }
      const { ids, segments, offsets, truncated } = sample.columns();
      const kept = Array.from({ length: offsets.length - 1 }, (_, at) => ids[offsets[at]!]!);
      expect(kept).toHaveLength(Math.min(most, rows));
      expect(ids).toEqual(
        Int32Array.from(kept.flatMap((row) => Array.from({ length: (row % 3) + 1 }, () => row))),
      );
      expect(truncated).toEqual(Uint8Array.from(kept, (row) => row % 2));
      expect(segments).toEqual(pair && rows > 0 ? ids.map((id) => id % 2) : undefined);
      const gaps = kept.slice(1).map((row, index) => row - kept[index]!);
      if (gaps.length > 0) expect(Math.max(...gaps)).toBeLessThanOrEqual(3 * Math.min(...gaps));
    }),
  );
});
