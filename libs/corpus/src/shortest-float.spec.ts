import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { shortestFloat } from './shortest-float.js';

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

function floatOfBits(value: number): number {
  bits[0] = value;
  return float[0] ?? 0;
}

function expectShortest(value: number): void {
  const text = shortestFloat(value);
  if (Math.fround(Number(text)) !== value) expect.fail(`${value} became ${text}`);
  const digits = text.replace(/e.*/, '').replaceAll(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '').length;
  for (let precision = 1; precision < digits; precision++) {
    for (const shorter of neighbours(value, precision)) {
      if (Math.fround(shorter) === value) expect.fail(`${value} became ${text}, ${shorter} is shorter`);
    }
  }
  expect(JSON.parse(text)).toBe(Number(text));
}

/** The decimals of so many digits around a value. */
function neighbours(value: number, precision: number): number[] {
  const [digits, exponent] = value.toExponential(precision - 1).split('e');
  const whole = Number(digits?.replace('.', ''));
  return [whole - 1, whole, whole + 1].map((near) => Number(`${near}e${Number(exponent) - precision + 1}`));
}

test.each([
  [0, '0'],
  [1, '1'],
  [0.5, '0.5'],
  [Math.fround(0.1), '0.1'],
  [Math.fround(0.01), '0.01'],
  [Math.fround(1 / 3), '0.33333334'],
  [Math.fround(0.9999999), '0.9999999'],
  [Math.fround(1e-6), '0.000001'],
  [Math.fround(1e-7), '1e-7'],
  [2 ** -149, '1e-45'],
  [-0.25, '-0.25'],
  [Math.fround(16777216), '16777216'],
])('%d is written %s', (value, text) => {
  expect(shortestFloat(value)).toBe(text);
});

test('any float reads back, and no shorter decimal does', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x7f7f_ffff }), (value) => expectShortest(floatOfBits(value))),
    { numRuns: 5000 },
  );
});

test('any probability reads back, and no shorter decimal does', () => {
  const one = 0x3f80_0000;
  fc.assert(
    fc.property(fc.integer({ min: 0x3500_0000, max: one }), (value) => expectShortest(floatOfBits(value))),
    { numRuns: 20_000 },
  );
});

test('powers of two and their neighbours read back, and no shorter decimal does', () => {
  for (let exponent = 1; exponent < 255; exponent++) {
    for (const step of [-1, 0, 1]) expectShortest(floatOfBits((exponent << 23) + step));
  }
});

test.each([NaN, Infinity, 0.1])('%d is no finite float32', (value) => {
  expect(() => shortestFloat(value)).toThrow(RangeError);
});
