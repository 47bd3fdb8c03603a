import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResultPart } from './result-part.js';
import { decodePart, encodePart } from './result-part.js';

const parts = fc
  .record({
    rows: fc.nat({ max: 40 }),
    classes: fc.integer({ min: 1, max: 7 }),
  })
  .chain(({ rows, classes }) =>
    fc.record({
      rows: fc.int32Array({ min: 0, max: 100_000, minLength: rows, maxLength: rows }),
      labels: fc.record({
        rows: fc.constant(rows),
        classes: fc.constant(classes),
        label: fc.uint16Array({ minLength: rows, maxLength: rows }),
        exitLayer: fc.uint8Array({ minLength: rows, maxLength: rows }),
        uncertainty: fc.float32Array({ minLength: rows, maxLength: rows }),
        probabilities: fc.float32Array({ minLength: rows * classes, maxLength: rows * classes }),
      }),
      lengths: fc.int32Array({ min: 1, max: 512, minLength: rows, maxLength: rows }),
      truncated: fc.uint8Array({ max: 1, minLength: rows, maxLength: rows }),
      rejected: fc.array(
        fc.record({
          index: fc.nat(),
          reason: fc.constant('kills-worker'),
          message: fc.string({ unit: 'binary' }),
        }),
        { maxLength: 2 },
      ),
    }),
  );

describe('results of some rows', () => {
  it('come back as they were, wherever their bytes lie', () => {
    fc.assert(
      fc.property(parts, fc.nat({ max: 9 }), (part: ResultPart, offset) => {
        const bytes = encodePart(part);
        const elsewhere = Buffer.concat([Buffer.alloc(offset), bytes]).subarray(offset);
        expect(decodePart(elsewhere)).toEqual(part);
      }),
    );
  });

  it('are refused where they are cut, or are none', () => {
    fc.assert(
      fc.property(parts, fc.double({ min: 0, max: 0.999, noNaN: true }), (part: ResultPart, share) => {
        const bytes = encodePart(part);
        expect(() => decodePart(bytes.subarray(0, Math.floor(share * bytes.length)))).toThrow(/^Expected /);
      }),
    );
    expect(() => decodePart(Buffer.alloc(64))).toThrow(/64 bytes that are none/);
  });
});
