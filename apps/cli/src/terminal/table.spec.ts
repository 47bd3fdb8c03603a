import { expect, it } from 'vitest';
import { paintFor, plainPaint } from './paint.js';
import { tableLines } from './table.js';

const columns = [
  { title: 'text', shrinks: true },
  { title: 'rows', align: 'right' },
  { title: 'note' },
] as const;

it('aligns wide characters, emoji, marks and colours', () => {
  const { style } = paintFor({}, { FORCE_COLOR: '1' });
  const rows = [
    ['plain', '1', 'a'],
    ['酒店很好', '1,024', 'b'],
    ['👩‍👩‍👧 ok', '12', 'c'],
    ['cafe\u0301', '3', 'd'],
    ['ﾊﾝｶｸ', style('red', '44'), 'e'],
  ];
  expect(tableLines(columns, rows, { paint: plainPaint, width: 80 })).toEqual([
    'text       rows  note',
    'plain         1  a',
    '酒店很好  1,024  b',
    '👩‍👩‍👧 ok        12  c',
    'cafe\u0301          3  d',
    'ﾊﾝｶｸ         \x1b[31m44\x1b[39m  e',
  ]);
});

it('cuts what may shrink to the width of the terminal', () => {
  const rows = [
    ['a rather long text that has no end', '1', 'x'],
    ['酒店很好，服务很好，位置很好', '2', 'y'],
  ];
  expect(tableLines(columns, rows, { paint: plainPaint, width: 30 })).toEqual([
    'text                rows  note',
    'a rather long tex…     1  x',
    '酒店很好，服务很…      2  y',
  ]);
});

it('leaves missing cells empty and no space at the end of a line', () => {
  expect(tableLines(columns, [['a'], []], { paint: plainPaint, width: 30 })).toEqual([
    'text  rows  note',
    'a',
    '',
  ]);
});
