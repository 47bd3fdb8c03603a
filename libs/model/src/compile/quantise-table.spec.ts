import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantiseTable } from './quantise-table.js';

const width = 4;
const tables = fc
  .array(fc.tuple(...Array.from({ length: width }, () => fc.float({ noNaN: true, min: -1e3, max: 1e3 }))), {
    minLength: 1,
    maxLength: 8,
  })
  .map((rows) => Float32Array.from(rows.flat()));

describe('quantiseTable', () => {
  it('keeps every number within half a step of its row', () => {
    fc.assert(
      fc.property(tables, (table) => {
        const { values, scales } = quantiseTable(table, width);
        table.forEach((value, index) => {
          const scale = scales[Math.floor(index / width)]!;
          expect(Math.abs(values[index]! * scale - value)).toBeLessThanOrEqual(
            Math.max(scale * 0.501, 2 ** -119),
          );
        });
      }),
    );
  });

  it('gives each row its own scale', () => {
    const { values, scales } = quantiseTable(Float32Array.of(127, -127, 0, 1, 0.127, 0.001, 0, 0), width);
    expect([...values]).toEqual([127, -127, 0, 1, 127, 1, 0, 0]);
    expect([...scales]).toEqual([1, Math.fround(0.001)]);
  });
});
