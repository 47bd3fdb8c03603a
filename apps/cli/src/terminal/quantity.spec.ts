import { expect, it } from 'vitest';
import { bar } from './bar.js';
import { bytesText, durationText, rateText, rowsText, shareText } from './quantity.js';

it.each([
  [0, '0.0 s'],
  [449, '0.4 s'],
  [9_949, '9.9 s'],
  [9_950, '10 s'],
  [59_499, '59 s'],
  [59_500, '1 min 00 s'],
  [185_000, '3 min 05 s'],
  [3_599_500, '1 h 00 min'],
  [7_620_000, '2 h 07 min'],
  [86_400_000, '1 d 00 h'],
  [273_600_000, '3 d 04 h'],
])('%i ms are %s', (milliseconds, text) => {
  expect(durationText(milliseconds)).toBe(text);
});

it.each([
  [0, '0.0 %'],
  [0.00001, '0.1 %'],
  [0.1234, '12.3 %'],
  [0.99999, '99.9 %'],
  [1, '100.0 %'],
])('a share of %d is %s', (share, text) => {
  expect(shareText(share)).toBe(text);
});

it('writes rows and rates', () => {
  expect([rowsText(1), rowsText(12_345)]).toEqual(['1 row', '12,345 rows']);
  expect([rateText(0.66), rateText(1203.7)]).toEqual(['0.7 rows/s', '1,204 rows/s']);
});

it.each([
  [0, ''],
  [0.0001, '▏'],
  [0.5, '██'],
  [0.53, '██▏'],
  [1, '████'],
  [7, '████'],
])('a bar of %d', (share, blocks) => {
  expect(bar(share, 4)).toBe(blocks);
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [99_940, '99.9 kB'],
  [99_960, '100 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [440_473_133, '440 MB'],
  [2.5e15, '2500 TB'],
])('%i bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
