import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { HostileRow } from './corpus-case.js';
import { rowsCase } from './corpus-case.js';
import type { HostileSection } from './hostile-case.js';

const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const textRow = (text: string): string => JSON.stringify({ text });
const nested = (open: string, inner: string, close: string): string =>
  `{"text":"deep","d":${open.repeat(100_000)}${inner}${close.repeat(100_000)}}`;
const keys = (count: number): string =>
  Array.from({ length: count }, (_, index) => `,"k${index}":${index}`).join('');

const jsonRows: HostileRow[] = [
  { name: 'NUL as an escape', bytes: '{"text":"a\\u0000b"}' },
  { name: 'NUL as a byte', bytes: '{"text":"a\0b"}', reason: 'unparseable' },
  { name: 'bytes that are not UTF-8', bytes: bytes('{"text":"', [0xff, 0xfe], '"}'), reason: 'invalid-utf8' },
  {
    name: 'NUL in two bytes (overlong)',
    bytes: bytes('{"text":"', [0xc0, 0x80], '"}'),
    reason: 'invalid-utf8',
  },
  {
    name: 'a surrogate as bytes',
    bytes: bytes('{"text":"', [0xed, 0xa0, 0x80], '"}'),
    reason: 'invalid-utf8',
  },
  { name: 'a lone surrogate as an escape', bytes: '{"text":"\\ud800 x","id":"\\udfff"}' },
  { name: 'a byte order mark in the text', bytes: '{"text":"\uFEFFx"}' },
  { name: 'a byte order mark before the row', bytes: '\uFEFF{"text":"x"}', reason: 'unparseable' },
  { name: 'CR LF', bytes: '{"text":"x"}\r' },
  { name: 'CR alone between two rows', bytes: '{"text":"x"}\r{"text":"y"}', reason: 'unparseable' },
  { name: 'U+2028 and U+2029', bytes: '{"text":"a\u2028b\u2029c"}' },
  { name: 'an empty text', bytes: '{"text":""}' },
  { name: 'only white space', bytes: '{"text":" \\t\\r\\n \u3000"}' },
  { name: '500,000 blanks', bytes: textRow(' '.repeat(500_000)) },
  { name: 'one word 200,000 times', bytes: textRow('spam '.repeat(200_000)) },
  { name: 'one word of 1,000,000 letters', bytes: textRow('a'.repeat(1_000_000)) },
  { name: '500,000 combining marks', bytes: textRow(`e${'\u0301\u0323'.repeat(250_000)}`) },
  { name: '10,000 joined emoji', bytes: textRow('👨‍👩‍👧‍👦'.repeat(10_000)) },
  { name: 'marks of direction', bytes: textRow('\u202E\u200F abc \u202D') },
  { name: 'literal special tokens', bytes: textRow('[CLS] [SEP] [PAD] [MASK] [UNK]') },
  { name: '50,000 fields', bytes: `{"text":"wide"${keys(50_000)}}` },
  { name: '100,000 fields, over 1 MiB', bytes: `{"text":"wide"${keys(100_000)}}`, reason: 'too-long' },
  {
    name: 'fields __proto__, constructor, prototype',
    bytes:
      '{"__proto__":{"text":"no","polluted":1},"constructor":{"prototype":{"polluted":1}},"prototype":2,"text":"x"}',
  },
  { name: 'the text in __proto__ alone', bytes: '{"__proto__":{"text":"x"}}', reason: 'no-text-field' },
  { name: 'fields twice', bytes: '{"text":"one","id":1,"text":"two","id":2}' },
  { name: 'lists 100,000 deep', bytes: nested('[', '', ']') },
  { name: 'objects 100,000 deep', bytes: nested('{"a":', '1', '}') },
  { name: 'lists that do not close', bytes: `{"text":"x","d":${'['.repeat(100_000)}`, reason: 'unparseable' },
  {
    name: 'numbers beyond float64',
    bytes: '{"text":"x","n":1e400,"m":123456789012345678901234567890,"z":-0}',
  },
  { name: 'a text that is a number', bytes: '{"text":1}', reason: 'text-not-string' },
  { name: 'a row that is null', bytes: 'null', reason: 'not-an-object' },
  { name: 'a row that is a list', bytes: '[{"text":"x"}]', reason: 'not-an-object' },
  { name: 'half a row', bytes: '{"text":"x', reason: 'unparseable' },
  { name: 'a row over 1 MiB', bytes: textRow('x'.repeat(2 ** 20)), reason: 'too-long' },
];

/** Rows keep the text that they were written with, up to the brace that closes them. */
async function expectCarried(folder: string): Promise<void> {
  const output = (await readFile(join(folder, 'out.jsonl'), 'utf8')).split('\n').slice(0, -1);
  const carried = jsonRows
    .filter(({ reason }) => reason === undefined)
    .map((row) => String(row.bytes).trimEnd().slice(0, -1));
  for (const [index, line] of output.entries()) {
    expect(line.startsWith(`${carried[index]!},"label":`), carried[index]!.slice(0, 100)).toBe(true);
  }
}

const tableRows: HostileRow[] = [
  { name: 'a quote within a cell', bytes: 'it"s,1' },
  { name: 'a quote that never closes', bytes: '"never closed,2', reason: 'unclosed-quote' },
  { name: 'text behind a closing quote', bytes: '"a"b,3', reason: 'unclosed-quote' },
  { name: 'a quote doubled', bytes: '"a ""b""",4' },
  { name: 'one cell too many', bytes: 'a,5,x', reason: 'wrong-columns' },
  { name: 'one cell too few', bytes: 'a', reason: 'wrong-columns' },
  { name: 'NUL', bytes: 'a\0b,6' },
  { name: 'bytes that are not UTF-8', bytes: bytes([0xff, 0xfe], ',7'), reason: 'invalid-utf8' },
  { name: 'a byte order mark before the row', bytes: '\uFEFFa,8' },
  { name: 'CR LF', bytes: 'a,9\r' },
  { name: 'CR alone', bytes: 'a\rb,10' },
  { name: 'U+2028', bytes: 'a\u2028b,11' },
  { name: 'an empty text', bytes: ',12' },
  { name: 'only blanks', bytes: '   ,13' },
  { name: 'a formula', bytes: "=cmd|' /C calc'!A0,14" },
  { name: '100,000 cells', bytes: `a${',x'.repeat(99_999)}`, reason: 'wrong-columns' },
  { name: 'a row over 1 MiB', bytes: `${'x'.repeat(2 ** 20)},15`, reason: 'too-long' },
];

const lines: HostileRow[] = [
  { name: 'an empty line', bytes: '' },
  { name: 'NUL', bytes: 'a\0b' },
  { name: 'bytes that are not UTF-8', bytes: bytes([0x61, 0xff]), reason: 'invalid-utf8' },
  { name: 'CR LF', bytes: 'a\r' },
  { name: 'CR alone', bytes: 'a\rb' },
  { name: 'U+2028, U+0085, form feed', bytes: 'a\u2028b\u0085c\fd' },
  { name: 'a byte order mark', bytes: '\uFEFFa' },
  { name: 'a quote', bytes: '"a' },
  { name: 'a line over 1 MiB', bytes: 'x'.repeat(2 ** 20 + 1), reason: 'too-long' },
];

export const hostileRows: HostileSection = {
  title: 'Rows',
  cases: [
    { ...rowsCase('JSON lines', 'rows.jsonl', jsonRows), check: expectCarried },
    rowsCase('csv', 'rows.csv', tableRows, { head: 'text,id\n' }),
    rowsCase('text', 'rows.txt', lines),
  ],
};
