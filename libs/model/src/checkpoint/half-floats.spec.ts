import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat32, float16ToFloat32, float32ToFloat16 } from './half-floats.js';

const allBits = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

/** float16 values in order, without NaN: the list that the nearest is searched in. */
const finite = [...float16ToFloat32(allBits.filter((bits) => (bits & 0x7c00) !== 0x7c00))];

/**
 * Rounds through float64, whose spacing makes the rule plain: a value's half has a step of 2^(e − 10), with e its
 * exponent held to −14, and the nearest multiple of the step is taken, the even one on a tie.
 */
function nearestHalf(value: number): number {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -14);
  const step = 2 ** (exponent - 10);
  const multiple = value / step;
  const below = Math.floor(multiple);
  const above = multiple - below;
  const rounded = above > 0.5 || (above === 0.5 && below % 2 !== 0) ? below + 1 : below;
  const result = rounded * step;
  return Math.abs(result) > 65_504 ? Math.sign(result) * Infinity : result;
}

describe('float16', () => {
  it('brings all 65,536 bit patterns back, NaN as a NaN', () => {
    const values = float16ToFloat32(allBits);
    const back = float32ToFloat16(values);
    const wrong = [...allBits].filter((bits) => {
      const isNan = (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
      return isNan ? !Number.isNaN(values[bits]) || (back[bits]! & 0x7fff) <= 0x7c00 : back[bits] !== bits;
    });
    expect(wrong).toEqual([]);
  });

  it('knows the corners of the format', () => {
    expect([...float16ToFloat32(Uint16Array.of(0x0001, 0x03ff, 0x0400, 0x3c00, 0x7bff, 0xfc00))]).toEqual([
      2 ** -24,
      1023 * 2 ** -24,
      2 ** -14,
      1,
      65_504,
      -Infinity,
    ]);
    expect([
      ...float32ToFloat16(Float32Array.of(65_519, 65_520, 1e30, 2 ** -25, 2 ** -25 * 1.0001, -0)),
    ]).toEqual([0x7bff, 0x7c00, 0x7c00, 0, 1, 0x8000]);
  });

  it('rounds to nearest, ties to even', () => {
    const halfway = fc
      .integer({ min: 0, max: finite.length - 2 })
      .map((index) => Math.fround((finite[index]! + finite[index + 1]!) / 2));
    const value = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.float({ min: -70_000, max: 70_000, noNaN: true }),
      fc.float({ min: Math.fround(-1e-4), max: Math.fround(1e-4), noNaN: true }),
      halfway,
    );
    fc.assert(
      fc.property(value, (value) => {
        const [found] = float16ToFloat32(float32ToFloat16(Float32Array.of(value)));
        expect(found).toBe(value === 0 ? value : nearestHalf(value) || Math.sign(value) * 0);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('bfloat16', () => {
  it('is the upper half of a float32, for all bit patterns', () => {
    const values = bfloat16ToFloat32(allBits);
    const view = new DataView(new ArrayBuffer(4));
    const wrong = [...allBits].filter((bits) => {
      view.setUint32(0, bits * 65_536);
      return !Object.is(view.getFloat32(0), values[bits]);
    });
    expect(wrong).toEqual([]);
  });
});
