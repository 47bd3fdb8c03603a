/** Corpora of text that are likely to be read wrong, for property tests. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, gzipSync } from 'node:zlib';

import * as fc from 'fast-check';

import type { ReadOptions } from '#corpus/corpus-options.js';

type TextFormat = 'jsonl' | 'csv' | 'tsv' | 'txt';

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('"', ',', '\t', '\n', '\r', '\r\n', '\0', '\u2028', '\uFEFF', 'é', '😀', 'a', ' '),
  }),
);
const formats = fc.constantFrom<TextFormat>('jsonl', 'csv', 'tsv', 'txt');
const lineEnds = fc.constantFrom('\n', '\r\n');

export interface WrittenCorpus {
  format: TextFormat;
  lineEnd: string;
  rows: [string, string][];
  header: boolean;
  /** The last row's line end is there. */
  ended: boolean;
  mark: boolean;
}

export const writtenCorpora: fc.Arbitrary<WrittenCorpus> = fc.record({
  format: formats,
  lineEnd: lineEnds,
  rows: fc.array(fc.tuple(hostile, hostile), { minLength: 1, maxLength: 30 }),
  header: fc.boolean(),
  ended: fc.boolean(),
  mark: fc.boolean(),
});
/** Ways to read that must make no difference to the rows. */
export const readings = fc.record({
  chunkRows: fc.integer({ min: 1, max: 12 }),
  readBytes: fc.integer({ min: 1, max: 300 }),
});

function cell(text: string, delimiter: string): string {
  const plain = text !== '' && !/^"|[\r\n]/.test(text) && !text.includes(delimiter);
  return plain ? text : `"${text.replaceAll('"', '""')}"`;
}

function record(format: TextFormat, [text, other]: [string, string]): string {
  if (format === 'jsonl') return JSON.stringify({ other, text });
  if (format === 'txt') return text.replaceAll(/[\r\n]/g, '.');
  const delimiter = format === 'csv' ? ',' : '\t';
  return [cell(text, delimiter), cell(other, delimiter)].join(delimiter);
}

export function isTable({ format }: WrittenCorpus): boolean {
  return format === 'csv' || format === 'tsv';
}

export function fileOf(corpus: WrittenCorpus, broken?: { at: number; line: string }): string {
  const { format, lineEnd, rows, header, ended, mark } = corpus;
  const lines = rows.map((row) => record(format, row));
  if (broken !== undefined) lines.splice(broken.at, 0, broken.line);
  if (isTable(corpus) && header) lines.unshift(format === 'csv' ? 'text,other' : 'text\tother');
  // A last text of no characters is a row only if its line has an end.
  const last = ended || format === 'txt' ? lineEnd : '';
  return (mark || format !== 'jsonl' ? '\uFEFF' : '') + lines.join(lineEnd) + last;
}

/** How the corpus must be read. */
export function readOptionsOf(corpus: WrittenCorpus): ReadOptions {
  const { format, header } = corpus;
  return isTable(corpus) ? { format, header, textField: header ? 'text' : '1' } : { format };
}

/** The texts that a reader must find. */
export function textsOf({ format, rows }: WrittenCorpus): string[] {
  return rows.map((row) => (format === 'txt' ? record('txt', row) : row[0]));
}

/** Where bytes are cut, as shares of them, and how hard each piece is compressed. */
export const gzipCuts = fc.array(
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 9 })),
  {
    maxLength: 5,
  },
);

/** The bytes as gzip members, back to back. */
export function gzipMembers(content: string, cuts: readonly (readonly [number, number])[]): Buffer {
  const bytes = Buffer.from(content);
  const members: Buffer[] = [];
  let start = 0;
  for (const [share, level] of [...cuts].sort(([one], [other]) => one - other)) {
    const end = Math.floor(share * bytes.length);
    members.push(gzipSync(bytes.subarray(start, end), { level }));
    start = end;
  }
  return Buffer.concat([...members, gzipSync(bytes.subarray(start))]);
}

/** Writes so many zeros, compressed: a bomb. */
export async function writeZeros(path: string, bytes: number, level: number): Promise<void> {
  const block = Buffer.alloc(1 << 20);
  const blocks = Array.from({ length: bytes / block.length }, () => block);
  await pipeline(Readable.from(blocks), createGzip({ level }), createWriteStream(path));
}
