import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { CorpusChunk } from '#pipeline/ports.js';

import { joined, readChunks, withFile } from '../../../test/corpus-on-disk.js';
import type { CorpusFormat } from './corpus-options.js';
import { openCorpus } from './open-corpus.js';

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('"', ',', '\t', '\n', '\r', '\r\n', '\0', '\u2028', '\uFEFF', 'é', '😀', 'a', ' '),
  }),
);
const formats = fc.constantFrom<CorpusFormat>('jsonl', 'csv', 'tsv', 'txt');
const lineEnds = fc.constantFrom('\n', '\r\n');

interface Written {
  format: CorpusFormat;
  lineEnd: string;
  rows: [string, string][];
  header: boolean;
  /** The last row's line end is there. */
  ended: boolean;
  mark: boolean;
}

const corpora: fc.Arbitrary<Written> = fc.record({
  format: formats,
  lineEnd: lineEnds,
  rows: fc.array(fc.tuple(hostile, hostile), { minLength: 1, maxLength: 30 }),
  header: fc.boolean(),
  ended: fc.boolean(),
  mark: fc.boolean(),
});
const reading = fc.record({
  chunkRows: fc.integer({ min: 1, max: 12 }),
  readBytes: fc.integer({ min: 1, max: 300 }),
});

function cell(text: string, delimiter: string): string {
  const plain = text !== '' && !/^"|[\r\n]/.test(text) && !text.includes(delimiter);
  return plain ? text : `"${text.replaceAll('"', '""')}"`;
}

function record(format: CorpusFormat, [text, other]: [string, string]): string {
  if (format === 'jsonl') return JSON.stringify({ other, text });
  if (format === 'txt') return text.replaceAll(/[\r\n]/g, '.');
  const delimiter = format === 'csv' ? ',' : '\t';
  return [cell(text, delimiter), cell(other, delimiter)].join(delimiter);
}

function isTable({ format }: Written): boolean {
  return format === 'csv' || format === 'tsv';
}

function fileOf(corpus: Written, broken?: { at: number; line: string }): string {
  const { format, lineEnd, rows, header, ended, mark } = corpus;
  const lines = rows.map((row) => record(format, row));
  if (broken !== undefined) lines.splice(broken.at, 0, broken.line);
  if (isTable(corpus) && header) lines.unshift(format === 'csv' ? 'text,other' : 'text\tother');
  // A last text of no characters is a row only if its line has an end.
  const last = ended || format === 'txt' ? lineEnd : '';
  return (mark || format !== 'jsonl' ? '\uFEFF' : '') + lines.join(lineEnd) + last;
}

function options(corpus: Written, path: string) {
  const { format, header } = corpus;
  if (!isTable(corpus)) return { paths: [path], format };
  return { paths: [path], format, header, textField: header ? 'text' : '1' };
}

function textsOf({ format, rows }: Written): string[] {
  return rows.map((row) => (format === 'txt' ? record('txt', row) : row[0]));
}

test('rows survive, whatever they hold and however they are read', async () => {
  await fc.assert(
    fc.asyncProperty(corpora, reading, async (corpus, how) => {
      await withFile('corpus', fileOf(corpus), async (path) => {
        const chunks = await readChunks(openCorpus({ ...options(corpus, path), ...how }));
        const got = joined(chunks);
        expect(got.rejects).toEqual([]);
        expect(got.texts).toEqual(textsOf(corpus));
        const full = chunks.slice(0, -1).every(({ rows }) => rows === how.chunkRows);
        expect(full).toBe(true);
      });
    }),
    { numRuns: 300 },
  );
});

test('chunks tile the file; each is the same read again, and so is what follows it', async () => {
  await fc.assert(
    fc.asyncProperty(corpora, reading, async (corpus, how) => {
      const content = `${fileOf(corpus)}${corpus.format === 'txt' ? '' : '\n\r\n'}`;
      await withFile('corpus', content, async (path) => {
        const open = () => openCorpus({ ...options(corpus, path), ...how });
        const chunks = await readChunks(open());
        let end = 0;
        for (const [index, chunk] of chunks.entries()) {
          expect(chunk.range.start).toBe(end);
          end = chunk.range.end;
          expect(await readChunks(open(), chunk)).toEqual(chunks.slice(index + 1));
          const corpusAgain = await open();
          expect(await corpusAgain.reread(chunk)).toEqual(chunk);
          await corpusAgain.verify(chunk);
          await corpusAgain.close();
        }
        expect(end).toBe(Buffer.byteLength(content));
      });
    }),
    { numRuns: 60 },
  );
});

const brokenLines: Record<CorpusFormat, (string | Buffer)[]> = {
  jsonl: ['{"text":"x"', '{"text":7}', '[]', `{"text":"${'x'.repeat(5000)}"}`],
  csv: ['a,"b', '"a', '"a"b,c', 'a', 'a,b,c', `a,${'x'.repeat(5000)}`],
  tsv: ['a\t"b', '"a', '"a"b\tc', 'a', 'a\tb\tc', `a\t${'x'.repeat(5000)}`],
  txt: ['x'.repeat(5000)],
};

test('a broken record costs itself alone', async () => {
  await fc.assert(
    fc.asyncProperty(corpora, reading, fc.nat(), fc.nat(), async (corpus, how, place, which) => {
      // Only fields that need no quotes behind the broken one: a later quote may close it, and nobody can tell.
      const rows = corpus.rows.map(([text, other]): [string, string] => [unquoted(text), unquoted(other)]);
      const at = place % (rows.length + 1);
      const lines = brokenLines[corpus.format];
      // Without header the first row says how many columns there are.
      if (isTable(corpus) && !corpus.header && at === 0) return;
      const line = String(lines[which % lines.length]);
      const content = fileOf({ ...corpus, rows, ended: true }, { at, line });
      await withFile('corpus', content, async (path) => {
        const chunks: CorpusChunk[] = await readChunks(
          openCorpus({ ...options(corpus, path), ...how, maxRowBytes: 4000 }),
        );
        const got = joined(chunks);
        expect(got.texts).toEqual(textsOf({ ...corpus, rows }));
        expect(got.rejects.map(({ row }) => row)).toEqual([at + 1]);
        for (const { rows, texts, rejects } of chunks) expect(rows).toBe(texts.length + rejects.length);
      });
    }),
    { numRuns: 300 },
  );
});

function unquoted(text: string): string {
  return `x${text.replaceAll(/["\r\n,\t]/g, '.')}`;
}
