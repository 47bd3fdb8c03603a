import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sampleOfHead } from './corpus-sample.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const whole = (name: string, text: string) => sampleOfHead(name, bytes(text), bytes(text).length);

describe('the head of a corpus', () => {
  it.each([
    ['a.jsonl', '{"text": "x", "label": 1}\n{"text": "y"}\n', ['text', 'label'], 2],
    [
      'a.jsonl',
      '\uFEFF{"id": 1, "text": "a"}\r\nno json\n{"id": 2, "body": "b"}\n',
      ['id', 'text', 'body'],
      3,
    ],
    ['a.csv', 'id,"a, b",text\r\n1,2,3\r\n1,2,3', ['id', 'a, b', 'text'], 2],
    ['a.tsv', '\uFEFFlabel\ttext_a\n0\tx\n', ['label', 'text_a'], 1],
    ['a.txt', 'one\ntwo\nthree', [], 3],
    ['a.jsonl', 'no json\n', [], 1],
    ['a.parquet', 'PAR1\n\n', [], undefined],
    ['a.jsonl', '', [], undefined],
  ])('%s %j has the fields %j and %d rows', (name, text, fields, rows) => {
    expect(whole(name, text)).toEqual({ fields, rows });
  });

  it('is read as somebody says, whatever its name', () => {
    const rows = bytes('a,b\n1,2\n');
    expect(sampleOfHead('a.data', rows, rows.length)).toEqual({ fields: [], rows: undefined });
    expect(sampleOfHead('a.data', rows, rows.length, 'csv')).toEqual({ fields: ['a', 'b'], rows: 1 });
    expect(sampleOfHead('a.csv', rows, rows.length, 'txt')).toEqual({ fields: [], rows: 2 });
    expect(sampleOfHead('a.csv', rows, rows.length, 'parquet')).toEqual({ fields: [], rows: undefined });
  });

  it('tells nothing of what is compressed, and guesses by the size of what is longer', () => {
    const gzip = gzipSync('{"text": "x"}\n');
    expect(sampleOfHead('a.jsonl', gzip, gzip.length)).toEqual({ fields: [], rows: undefined });
    const head = bytes('{"text": "x"}\n'.repeat(10));
    expect(sampleOfHead('a.jsonl', head, head.length * 5)).toEqual({ fields: ['text'], rows: 50 });
  });
});
