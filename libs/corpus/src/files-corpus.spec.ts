import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { inFolder, joined, readChunks } from '../../../test/corpus-on-disk.js';
import {
  fileOf,
  gzipCuts,
  gzipMembers,
  readings,
  readOptionsOf,
  textsOf,
  writtenCorpora,
} from '../../../test/written-corpus.js';
import type { CorpusOptions } from './corpus-options.js';
import { openCorpus } from './open-corpus.js';

/** Where rows are cut into files, as shares of them, and whether each file is compressed. */
const fileCuts = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), {
  minLength: 1,
  maxLength: 6,
});

test('rows in several files, compressed or not, are the rows of one', async () => {
  await fc.assert(
    fc.asyncProperty(writtenCorpora, readings, fileCuts, gzipCuts, async (corpus, how, cuts, pieces) => {
      await inFolder(async (folder) => {
        const paths: string[] = [];
        let start = 0;
        for (const [share, packed] of [...cuts, [1, false] as const].sort(([one], [other]) => one - other)) {
          const end = Math.floor(share * corpus.rows.length);
          // A table without rows must say its columns all the same.
          const part = { ...corpus, header: true, rows: corpus.rows.slice(start, end) };
          const path = join(folder, String(paths.length));
          const text = part.rows.length === 0 && corpus.format === 'txt' ? '' : fileOf(part);
          await writeFile(path, packed ? gzipMembers(text, pieces) : text);
          paths.push(path);
          start = end;
        }
        const options = { ...readOptionsOf({ ...corpus, header: true }), ...how, paths };
        const chunks = await readChunks(openCorpus(options));
        expect(joined(chunks).texts).toEqual(textsOf(corpus));
        let after = { chunk: -1, firstRow: 1, rows: 0, range: { file: 0, end: 0 } };
        const again = await openCorpus(options);
        for (const [index, chunk] of chunks.entries()) {
          expect(chunk).toMatchObject({ chunk: after.chunk + 1, firstRow: after.firstRow + after.rows });
          expect(chunk.range.start).toBe(chunk.range.file === after.range.file ? after.range.end : 0);
          expect(chunk.range.file).toBeGreaterThanOrEqual(after.range.file);
          after = chunk;
          expect(await readChunks(openCorpus(options), chunk)).toEqual(chunks.slice(index + 1));
          expect(await again.reread(chunk)).toEqual(chunk);
          await again.verify(chunk);
        }
        await again.close();
      });
    }),
    { numRuns: 60 },
  );
});

/** Writes files of these names and hands their paths to `use`. */
function withFiles<T>(
  files: Readonly<Record<string, string>>,
  use: (paths: string[]) => Promise<T>,
): Promise<T> {
  return inFolder(async (folder) => {
    const paths = Object.keys(files).map((name) => join(folder, name));
    for (const [index, content] of Object.values(files).entries()) await writeFile(paths[index]!, content);
    return use(paths);
  });
}

function read(files: Readonly<Record<string, string>>, options: Partial<CorpusOptions> = {}) {
  return withFiles(files, async (paths) => joined(await readChunks(openCorpus({ ...options, paths }))));
}

test('a rejected row says in which file it is, by its number in the corpus', async () => {
  const { rejects } = await read({
    'a.jsonl': '{"text":"a"}\n[]\n',
    'b.jsonl': '{"text":"b"}\n{"text":1}\n',
  });
  expect(rejects).toMatchObject([
    { row: 2, reason: 'not-an-object', file: expect.stringMatching(/a\.jsonl$/) },
    { row: 4, reason: 'text-not-string', file: expect.stringMatching(/b\.jsonl$/) },
  ]);
});

test('the limit counts the rows of all files', async () => {
  const files = { 'a.txt': '1\n2\n3\n', 'b.txt': '4\n5\n', 'c.txt': '6\n' };
  for (const limit of [1, 3, 4, 5, 6, 7]) {
    expect((await read(files, { limit })).texts).toEqual(['1', '2', '3', '4', '5', '6'].slice(0, limit));
  }
});

test('fields of JSON are those of any file', async () => {
  await withFiles({ 'a.jsonl': '{"text":"a","x":1}\n', 'b.jsonl': '{"y":2,"text":"b"}\n' }, async (paths) => {
    const corpus = await openCorpus({ paths });
    expect(corpus.fields.names).toEqual(['text', 'x', 'y']);
    await corpus.close();
  });
});

test('tables of different kinds may be joined, and of different columns if the fields to carry are the same', async () => {
  const files = { 'a.csv': 'id,text\n1,a\n', 'b.tsv': 'id\ttext\n2\tb\n', 'c.csv': 'more,text,id\n,c,3\n' };
  const { records, texts } = await read(files, { fields: ['text'] });
  expect(texts).toEqual(['a', 'b', 'c']);
  expect(records).toEqual([['a'], ['b'], ['c']]);
});

test.each<[string, Record<string, string>, RegExp]>([
  [
    'other columns',
    { 'a.csv': 'id,text\n', 'b.csv': 'no,text\n' },
    /b\.csv: its columns are not those of .*a\.csv: column 1 to carry is "no" here and "id" there\./,
  ],
  [
    'columns in another order',
    { 'a.csv': 'id,text\n', 'b.csv': 'text,id\n' },
    /column 1 to carry is "text" here and "id" there/,
  ],
  [
    'a column less',
    { 'a.csv': 'text,id\n', 'b.csv': 'text\n' },
    /column 2 to carry is missing here and "id" there/,
  ],
  [
    'a column more',
    { 'a.csv': 'text\n', 'b.csv': 'text,id\n' },
    /column 2 to carry is "id" here and missing there/,
  ],
  [
    'no text in a later table',
    { 'a.csv': 'text\n', 'b.csv': 'body\n' },
    /b\.csv: there is no "text" among the columns/,
  ],
  [
    'no text in the first JSON',
    { 'a.jsonl': '{"body":1}\n', 'b.jsonl': '' },
    /a\.jsonl: there is no "text" in the first rows/,
  ],
  [
    'a table beside JSON',
    { 'a.jsonl': '{"text":1}\n', 'b.csv': 'text\n' },
    /b\.csv: it has rows of a table, and .*a\.jsonl has JSON objects\. Label them in a run each/,
  ],
  ['an unknown format', { 'a.txt': '', 'b.dat': '' }, /b\.dat: its format is unknown/],
])('does not open %s', async (_, files, message) => {
  await expect(read(files)).rejects.toThrow(message);
});

test('standard input is a corpus of its own', async () => {
  await expect(openCorpus({ paths: ['a.txt', '-'], format: 'txt' })).rejects.toThrow(/standard input/);
  await expect(openCorpus({ paths: [] })).rejects.toThrow(/expected at least one file/);
});

test('a file that has grown since its head was read is refused when its turn comes', async () => {
  await withFiles({ 'a.txt': '1\n', 'b.txt': '2\n' }, async (paths) => {
    const corpus = await openCorpus({ paths });
    const chunks = corpus.chunks()[Symbol.asyncIterator]();
    await chunks.next();
    await appendFile(paths[1]!, '3\n');
    await expect(chunks.next()).rejects.toMatchObject({
      name: 'CorpusChangedError',
      message: expect.stringMatching(/b\.txt changed: bytes 0 to 2 should be 2 bytes, found 4 bytes/),
    });
    await corpus.close();
  });
});

test('thousands of files are read with a few open at a time', async () => {
  await inFolder(async (folder) => {
    const paths: string[] = [];
    for (let file = 0; file < 2000; file++) {
      const path = join(folder, `${file}.txt`);
      await writeFile(path, `text ${file}\n`);
      paths.push(path);
    }
    const corpus = await openCorpus({ paths });
    const texts: string[] = [];
    let most = 0;
    for await (const chunk of corpus.chunks()) {
      texts.push(...chunk.texts);
      most = Math.max(most, await openFiles());
    }
    await corpus.close();
    expect(texts).toEqual(paths.map((_, file) => `text ${file}`));
    expect(most).toBeLessThan(100);
  });
});

/** Open files of this process; 0 where the system does not tell. */
async function openFiles(): Promise<number> {
  return readdir('/dev/fd').then(
    (names) => names.length,
    () => 0,
  );
}
