import { InvalidArgumentError } from 'commander';
import { expect, it } from 'vitest';
import { fraction, labelList, layerRanges, rowBytes, threadCount, wholeNumber } from './option-values.js';

it.each(['', ' ', '0', '-1', '1.5', '1e99', 'NaN', 'Infinity', '0x', '9007199254740993'])(
  'no whole number from 1: %j',
  (text) => {
    expect(() => wholeNumber(1)(text)).toThrow(InvalidArgumentError);
    expect(() => wholeNumber(1)(text)).toThrow(/^Expected a whole number from 1\.$/);
  },
);

it('has a most where the machine has', () => {
  expect(threadCount('256')).toBe(256);
  expect(() => threadCount('257')).toThrow('Expected a whole number from 1 to 256.');
  expect(rowBytes('67108864')).toBe(2 ** 26);
  expect(() => rowBytes('67108865')).toThrow('Expected a whole number from 1 to 67108864.');
});

it.each(['', 'NaN', '-0.1', '1.01', 'Infinity'])('no number from 0 to 1: %j', (text) => {
  expect(() => fraction(text)).toThrow('Expected a number from 0 to 1.');
});

it.each(['3-1', '1-2-3', '-', '1-', 'a', '1,,2', '0-4000000000'])('no layers: %j', (text) => {
  expect(() => layerRanges(text)).toThrow(InvalidArgumentError);
});

it('a label that is there twice', () => {
  expect(labelList('no, yes')).toEqual(['no', 'yes']);
  expect(() => labelList('early,late,late')).toThrow('The label "late" is there twice.');
});
