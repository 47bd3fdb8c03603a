import { appendFile, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CorpusChunk, PlannedChunk } from '#pipeline/ports.js';
import type { ReadOptions } from '../corpus-options.js';
import type { ThriftStruct } from '../../../../test/forged-parquet.js';
import {
  dataPage,
  levels,
  parquetFile,
  plainStrings,
  textFile,
  thriftStruct,
} from '../../../../test/forged-parquet.js';
import { openCorpus } from '../open-corpus.js';

const fixtures = join(import.meta.dirname, '../../../../test/fixtures/parquet');

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-parquet-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function read(path: string, options: ReadOptions = {}): Promise<CorpusChunk[]> {
  const corpus = await openCorpus({ ...options, paths: [path] });
  try {
    return await all(corpus.chunks());
  } finally {
    await corpus.close();
  }
}

async function all(chunks: AsyncIterable<CorpusChunk>): Promise<CorpusChunk[]> {
  const found: CorpusChunk[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return found;
}

function fixture(name: string): string {
  return join(fixtures, `${name}.parquet`);
}

async function fixtureRows(name: string): Promise<string[]> {
  return (await readFile(join(fixtures, `${name}.jsonl`), 'utf8')).trimEnd().split('\n');
}

function recordsOf(chunks: readonly CorpusChunk[]): unknown[] {
  return chunks.flatMap(({ records }) => records);
}

function planOf({ chunk, firstRow, rows, range }: CorpusChunk): PlannedChunk {
  return { chunk, firstRow, rows, range };
}

/** Of a required or repeated string column in a forged footer. */
function columnChunk(entries: number, bytes: number, start: number): ThriftStruct {
  return { 2: 0, 3: { 1: 6, 4: 0, 5: entries, 7: bytes, 9: start } };
}

/** Rows of the files `many-*`. */
const many = Array.from({ length: 100 }, (_, row) =>
  JSON.stringify({
    id: row,
    text: `text number ${row % 97} of some length`,
    kind: row % 11 === 0 ? null : ['ham', 'spam'][row % 2],
    tags: Array.from({ length: row % 4 }, (__, tag) => `t${tag}`),
  }),
);

describe('a parquet file', () => {
  it('has dictionaries in its row groups that would not all fit in memory', async () => {
    const bytes = 60 << 20;
    const stored = gzipSync(plainStrings('one', 'a'.repeat(bytes - 11)));
    const dictionary = thriftStruct({ 1: 2, 2: bytes, 3: stored.length, 7: { 1: 2, 2: 0 } });
    // All values are the first of the dictionary, in no bits.
    const values = dataPage(1, gzipSync(Buffer.from([0])), { bytes: 1, encoding: 8 });
    const group = Buffer.concat([dictionary, stored, values]);
    const groups = Array.from({ length: 10 }, (_, index) => {
      const start = 4 + index * group.length;
      const valuesStart = start + group.length - values.length;
      return { 1: [{ 2: 0, 3: { 1: 6, 4: 2, 5: 1, 7: group.length, 9: valuesStart, 11: start } }], 3: 1 };
    });
    const schema = [
      { 4: 'root', 5: 1 },
      { 1: 6, 3: 0, 4: 'text', 6: 0 },
    ];
    const pages = Buffer.concat(groups.map(() => group));
    const path = join(root, 'dictionaries.parquet');
    await writeFile(path, parquetFile(pages, thriftStruct({ 1: 1, 2: schema, 3: groups.length, 4: groups })));
    expect(recordsOf(await read(path))).toEqual(groups.map(() => '{"text":"one"}'));
  });

  it('has no rows where its columns start nowhere, as pyarrow writes it', async () => {
    const path = join(root, 'none.parquet');
    await writeFile(
      path,
      textFile({ rows: 0, entries: 0, pages: dataPage(0, Buffer.alloc(0)), meta: { 9: 0 } }),
    );
    expect(await read(path)).toEqual([]);
  });

  it.each([
    ['types', 'types'],
    ['types-dictionary', 'types'],
    ['nested', 'nested'],
    ['nested-v2', 'nested'],
    ['split', 'split'],
    ['int96', 'int96'],
  ])('%s has the values that its writer put in', async (file, rows) => {
    const chunks = await read(fixture(file));
    expect(recordsOf(chunks)).toEqual(await fixtureRows(rows));
    expect(chunks.flatMap(({ rejects }) => rejects)).toEqual([]);
  });

  it.each(['snappy', 'gzip', 'brotli', 'zstd', 'lz4', 'delta', 'polars'])(
    'of many pages and row groups, %s, gives the same rows in chunks of any size',
    async (name) => {
      for (const chunkRows of [1, 7, 45, 1000]) {
        const chunks = await read(fixture(`many-${name}`), { chunkRows });
        expect(recordsOf(chunks)).toEqual(many);
        expect(chunks.flatMap(({ texts }) => texts)[96]).toBe('text number 96 of some length');
        expect(Math.max(...chunks.map(({ rows }) => rows))).toBeLessThanOrEqual(chunkRows);
      }
    },
  );

  it('may have a list that goes on in the next page', async () => {
    const texts = dataPage(3, plainStrings('one', 'two', 'three'));
    // one: a, b; two: c, and in the second page d; three: nothing
    const first = Buffer.concat([levels(0, 1, 0), levels(1, 1, 1), plainStrings('a', 'b', 'c')]);
    const second = Buffer.concat([levels(1, 0), levels(1, 0), plainStrings('d')]);
    const tags = Buffer.concat([dataPage(3, first), dataPage(2, second)]);
    const footer = thriftStruct({
      2: [
        { 4: 'root', 5: 2 },
        { 1: 6, 3: 0, 4: 'text', 6: 0 },
        { 1: 6, 3: 2, 4: 'tags', 6: 0 },
      ],
      3: 3,
      4: [{ 1: [columnChunk(3, texts.length, 4), columnChunk(5, tags.length, 4 + texts.length)], 3: 3 }],
    });
    const path = join(root, 'across.parquet');
    await writeFile(path, parquetFile(Buffer.concat([texts, tags]), footer));
    expect(recordsOf(await read(path))).toEqual([
      '{"text":"one","tags":["a","b"]}',
      '{"text":"two","tags":["c","d"]}',
      '{"text":"three","tags":[]}',
    ]);
  });

  it('rejects a row by itself, in the words of JSON lines', async () => {
    const [chunk, ...others] = await read(fixture('odd'), { maxRowBytes: 2000 });
    expect(others).toEqual([]);
    expect(chunk!.texts).toEqual(['fine', 'ü']);
    expect(chunk!.records).toEqual(['{"text":"fine","n":1}', '{"text":"ü","n":4}']);
    expect(chunk!.rejects).toEqual([
      { row: 2, reason: 'invalid-utf8', message: 'expected UTF-8, got other bytes' },
      { row: 3, reason: 'text-not-string', message: 'expected a string in the field "text", got null' },
      { row: 5, reason: 'too-long', message: 'expected at most 2000 bytes, got 3017' },
    ]);
  });

  it('gives texts, pairs and labels of the fields that are named, and carries those that are wanted', async () => {
    const options = { pairField: 'kind', labelField: 'id', fields: ['id'], limit: 3 };
    const chunks = await read(fixture('many-zstd'), options);
    expect(chunks).toHaveLength(1);
    expect(chunks[0]).toMatchObject({
      rows: 3,
      texts: ['text number 1 of some length', 'text number 2 of some length'],
      pairs: ['spam', 'ham'],
      golds: ['1', '2'],
      records: ['{"id":1}', '{"id":2}'],
      rejects: [{ row: 1, reason: 'pair-not-string' }],
    });
    const [{ golds } = { golds: undefined }] = await read(fixture('types'), { labelField: 'flag' });
    expect(golds).toEqual(['true', 'false', undefined, 'true', 'true', 'false']);
  });

  it.each<[string, string, ReadOptions, RegExp]>([
    [
      'no text field',
      'many-zstd',
      { textField: 'body' },
      /there is no "body" among the columns, which are: id, text, kind, tags\. Say which is the text field\.$/,
    ],
    [
      'numbers as text',
      'many-zstd',
      { textField: 'id' },
      /the column "id" holds integer values, expected strings\. Say which is the text field\.$/,
    ],
    [
      'lists as text',
      'many-zstd',
      { textField: 'tags' },
      /the column "tags" holds lists or groups, expected strings/,
    ],
    [
      'lists as label',
      'many-zstd',
      { labelField: 'tags' },
      /the column "tags" holds lists or groups, expected single values\. Say which is the label field\.$/,
    ],
    ['too many columns', 'types', { maxColumns: 5 }, /it has more than 5 columns \(--max-columns\)\.$/],
    [
      'an option of tables',
      'types',
      { header: false },
      /header is an option of csv and tsv; the format is parquet\.$/,
    ],
  ])('%s is refused', async (_, name, options, message) => {
    await expect(read(fixture(name), options)).rejects.toThrow(message);
    await expect(read(fixture(name), options)).rejects.toHaveProperty('name', 'CorpusOpenError');
  });

  it('as standard input is refused, because it is read from its end', async () => {
    const stdin = { stream: process.stdin, spoolPath: join(root, 'spool') };
    await expect(openCorpus({ paths: ['-'], format: 'parquet', stdin })).rejects.toThrow(
      /^Cannot read -: standard input cannot be Parquet, which is read from its end\. Write it to a file, and label that\.$/,
    );
  });
});

describe('chunks of a parquet file', () => {
  it('tile the file, and none crosses a row group', async () => {
    const path = fixture('many-snappy');
    const corpus = await openCorpus({ paths: [path], chunkRows: 10 });
    const chunks = await all(corpus.chunks());
    expect(chunks.map(({ rows }) => rows)).toEqual([10, 10, 10, 10, 5, 10, 10, 10, 10, 5, 10]);
    expect(chunks.map(({ firstRow }) => firstRow)).toEqual([1, 11, 21, 31, 41, 46, 56, 66, 76, 86, 91]);
    expect(chunks[0]!.range.start).toBe(0);
    for (const [index, { range }] of chunks.entries()) {
      expect(range.start).toBe(chunks[index - 1]?.range.end ?? 0);
    }
    expect(chunks.at(-1)!.range.end).toBe(corpus.bytes);
    await corpus.close();
  });

  it.each(['many-gzip', 'many-delta', 'many-polars'])(
    'of %s are the same wherever reading starts',
    async (name) => {
      const corpus = await openCorpus({ paths: [fixture(name)], chunkRows: 7 });
      const chunks = await all(corpus.chunks());
      for (const [index, chunk] of chunks.entries()) {
        expect(await all(corpus.chunks(planOf(chunk)))).toEqual(chunks.slice(index + 1));
        expect(await corpus.reread(planOf(chunk))).toEqual(chunk);
        await corpus.verify(planOf(chunk));
      }
      await corpus.close();
    },
  );

  it('are full with the row that brings their records to so many bytes', async () => {
    const chunks = await read(fixture('many-brotli'), { chunkBytes: 200 });
    expect(recordsOf(chunks)).toEqual(many);
    expect(chunks.length).toBeGreaterThan(30);
  });

  it('of a file that changed are refused, whichever of its bytes', async () => {
    const path = join(root, 'changing.parquet');
    await copyFile(fixture('many-zstd'), path);
    const corpus = await openCorpus({ paths: [path], chunkRows: 10 });
    const chunks = await all(corpus.chunks());
    const bytes = await readFile(path);
    bytes[200]! ^= 1;
    await writeFile(path, bytes);
    const changed = { name: 'CorpusChangedError', path };
    await expect(corpus.verify(planOf(chunks[0]!))).rejects.toMatchObject(changed);
    await expect(corpus.reread(planOf(chunks[0]!))).rejects.toMatchObject(changed);
    // The last row group is what it was.
    await corpus.verify(planOf(chunks.at(-1)!));
    await corpus.close();
    // But not for who reads another footer.
    await copyFile(fixture('many-gzip'), path);
    const other = await openCorpus({ paths: [path], chunkRows: 10 });
    await expect(other.verify(planOf(chunks.at(-1)!))).rejects.toMatchObject(changed);
    await other.close();
  });

  it.each([
    ['others', 'other'],
    ['none', '\xff\xff\xff\xff\xff'],
  ])('whose bytes change after they were hashed are not given out: %s', async (kind, found) => {
    const path = join(root, `racing-${kind}.parquet`);
    // The second page is not among the bytes that are read ahead with the first.
    const pages = [plainStrings('first', 'long'.repeat(5000)), plainStrings('third')];
    const file = textFile({
      rows: 3,
      pages: Buffer.concat([dataPage(2, pages[0]!), dataPage(1, pages[1]!)]),
    });
    await writeFile(path, file);
    const corpus = await openCorpus({ paths: [path], chunkRows: 1 });
    const reading = corpus.chunks();
    await reading[Symbol.asyncIterator]().next();
    // The length in front of it, too.
    file.write(found, file.indexOf('third') - (kind === 'none' ? 4 : 0), 'latin1');
    await writeFile(path, file);
    await expect(all(reading)).rejects.toMatchObject({ name: 'CorpusChangedError', path });
    await corpus.close();
  });

  it('of a file that was cut off are refused', async () => {
    const path = join(root, 'cut.parquet');
    const bytes = await readFile(fixture('many-zstd'));
    await writeFile(path, bytes);
    const corpus = await openCorpus({ paths: [path], chunkRows: 10 });
    await writeFile(path, bytes.subarray(0, 100));
    await expect(all(corpus.chunks())).rejects.toHaveProperty('name', 'CorpusChangedError');
    await corpus.close();
    await expect(read(path)).rejects.toThrow(/it is no whole Parquet file: expected the bytes PAR1/);
    await appendFile(path, 'PAR1');
    await expect(read(path)).rejects.toThrow(/its footer claims \d+ bytes, and may have 92\.$/);
  });
});
