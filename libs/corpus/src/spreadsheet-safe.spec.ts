import { expect, test } from 'vitest';

import { spreadsheetSafe } from './spreadsheet-safe.js';

test.each([
  '=1+1',
  '+1+1',
  '-1+1',
  '@SUM(A1)',
  '\t=1',
  '\rx',
  '\nx',
  '  =1+1',
  '\u00A0=1+1',
  '\uFEFF=1+1',
  '＝1+1',
  '-',
  '+49 30 1234',
  '-5 %',
  '- 5',
  '-5\n',
  '+1.2.3',
  '-Infinity',
  "=cmd|' /C calc'!A0",
])('%j gets an apostrophe', (text) => {
  expect(spreadsheetSafe(text)).toBe(`'${text}`);
});

test.each([
  '-5',
  '+3.2',
  '-.5',
  '-5.',
  '-1e-7',
  '+1E+9',
  '0',
  'a=b',
  'a-b',
  "'=1",
  '',
  '1 - 1',
  '>= 2',
  '"=1',
])('%j stays as it is', (text) => {
  expect(spreadsheetSafe(text)).toBe(text);
});
