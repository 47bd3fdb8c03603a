import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TextFile } from '../../../../test/forged-parquet.js';
import {
  dataPage,
  dictionaryPage,
  levelRun,
  parquetFile,
  plainStrings,
  textFile,
  thriftStruct,
  varint,
} from '../../../../test/forged-parquet.js';
import type { ReadOptions } from '../corpus-options.js';
import { openCorpus } from '../open-corpus.js';

const fixtures = join(import.meta.dirname, '../../../../test/fixtures/parquet');
/** What reading may add to the memory of the process, whatever a small file claims. */
const MOST_MEMORY = 600 * 2 ** 20;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-hostile-parquet-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

interface Outcome {
  readonly records: readonly unknown[];
  readonly rejected: number;
  readonly rows: number;
  readonly error: Error | undefined;
}

async function read(bytes: Buffer, options: ReadOptions = {}): Promise<Outcome> {
  const path = join(root, 'file.parquet');
  await writeFile(path, bytes);
  const records: unknown[] = [];
  let rejected = 0;
  let rows = 0;
  const before = process.memoryUsage.rss();
  let error: Error | undefined;
  try {
    const corpus = await openCorpus({ ...options, paths: [path] });
    try {
      for await (const chunk of corpus.chunks()) {
        rows += chunk.rows;
        rejected += chunk.rejects.length;
        if (records.length < 1000) records.push(...chunk.records);
      }
    } finally {
      await corpus.close();
    }
  } catch (cause) {
    error = cause instanceof Error ? cause : new Error(String(cause));
  }
  expect(process.memoryUsage.rss() - before).toBeLessThan(MOST_MEMORY);
  return { records, rejected, rows, error };
}

const twoTexts = dataPage(2, plainStrings('one', 'two'));
const HUGE = 2 ** 31 - 1;

/** A footer whose schema has so many groups, each in the one before. */
function deep(levels: number): Buffer {
  return thriftStruct({ 2: Array.from({ length: levels }, () => ({ 4: 'group', 5: 1 })), 3: 0, 4: [] });
}

function optional(rows: number, levels: Buffer): Buffer {
  return textFile({ rows, pages: dataPage(rows, levels), repetition: 1 });
}

it('a file that is made here as it should be is read', async () => {
  expect(await read(textFile({ rows: 2, pages: twoTexts }))).toMatchObject({
    records: ['{"text":"one"}', '{"text":"two"}'],
    rows: 2,
    error: undefined,
  });
});

describe('a footer that lies is refused before anything is read:', () => {
  const file = (claims: Partial<TextFile>): Buffer => textFile({ rows: 2, pages: twoTexts, ...claims });
  const nested = Buffer.concat([Buffer.alloc(100_000, 0x1c), Buffer.alloc(100_001)]);

  it.each<[string, Buffer, RegExp]>([
    [
      'a length beyond the file',
      (() => {
        const bytes = file({});
        bytes.writeUInt32LE(HUGE, bytes.length - 8);
        return bytes;
      })(),
      /its footer claims 2147483647 bytes, and may have \d+\.$/,
    ],
    [
      'rows that its row groups do not have',
      file({ footer: { 3: 2 ** 50 } }),
      /it claims 1125899906842624 rows, and its row groups 2\.$/,
    ],
    [
      'a row group of rows that its columns do not have',
      file({ rows: 2 ** 50, entries: 2 }),
      /the column text has 2 entries in a row group of 1125899906842624 rows\.$/,
    ],
    [
      'a column behind the end of the file',
      file({ meta: { 9: 2 ** 40 } }),
      /the column text claims \d+ bytes from 1099511627776 on, and the footer starts at \d+\.$/,
    ],
    [
      'a column over the end of the file',
      file({ meta: { 7: 2 ** 40 } }),
      /claims 1099511627776 bytes from 4 on/,
    ],
    ['a column of less than nothing', file({ meta: { 7: -5 } }), /claims -5 bytes from 4 on/],
    ['a column before the file', file({ meta: { 11: -9 } }), /bytes from -9 on/],
    ['an unknown codec', file({ codec: 99 }), /the column text has the unknown codec 99\.$/],
    [
      'another type than the schema',
      file({ meta: { 1: 2 } }),
      /the column text is not of the schema's type BYTE_ARRAY\.$/,
    ],
    [
      'a column in another file',
      parquetFile(
        twoTexts,
        thriftStruct({
          1: 1,
          2: [
            { 4: 'root', 5: 1 },
            { 1: 6, 3: 0, 4: 'text' },
          ],
          3: 2,
          4: [{ 1: [{ 1: '/etc/passwd', 2: 0 }], 3: 2 }],
        }),
      ),
      /the column text is in another file\.$/,
    ],
    [
      'row groups that share their bytes',
      file({
        footer: {
          3: 6,
          4: Array.from({ length: 3 }, () => ({
            1: [{ 2: 0, 3: { 1: 6, 4: 0, 5: 2, 7: twoTexts.length, 9: 4 } }],
            3: 2,
          })),
        },
      }),
      /its columns claim \d+ bytes of the file's \d+\.$/,
    ],
    ['a schema without columns', file({ footer: { 2: [] } }), /its schema is empty\.$/],
    [
      'a schema of more fields than there are',
      file({ footer: { 2: [{ 4: 'root', 5: 2 ** 30 }] } }),
      /its schema has a group of 1073741824 fields\.$/,
    ],
    [
      'a schema of a thousand levels',
      parquetFile(Buffer.alloc(0), deep(1000)),
      /its schema is more than 64 deep\.$/,
    ],
    [
      'structures of a hundred thousand levels',
      parquetFile(Buffer.alloc(0), nested),
      /expected structures at most 24 deep/,
    ],
    [
      'a list of more than there is',
      parquetFile(
        Buffer.alloc(0),
        Buffer.concat([Buffer.from([0x29, 0xfc]), varint(HUGE), Buffer.from([0])]),
      ),
      /its structures end too early\.$/,
    ],
    ['nothing', parquetFile(Buffer.alloc(0), Buffer.alloc(0)), /its structures end too early\.$/],
    ['another magic', Buffer.from('PAR1 is not a Parquet file'), /it is no whole Parquet file/],
    ['encryption', Buffer.from('PAR1 and so on and on PARE'), /it is encrypted\. Decrypt it first\.$/],
    [
      'an end in its middle',
      parquetFile(
        twoTexts,
        Buffer.concat([
          thriftStruct({
            1: 1,
            2: [
              { 4: 'root', 5: 1 },
              { 1: 6, 3: 0, 4: 'text' },
            ],
            3: 0,
          }),
          Buffer.alloc(50),
        ]),
      ),
      /its footer is broken: it ends at byte \d+ of its \d+\.$/,
    ],
    ['too little', Buffer.from('PAR1PAR1'), /8 bytes are no Parquet file\.$/],
  ])('%s', async (_, bytes, message) => {
    const { error, rows } = await read(bytes);
    expect(rows).toBe(0);
    expect(error?.message).toMatch(message);
    expect(error).toHaveProperty('name', 'CorpusOpenError');
  });
});

describe('a page that lies ends the reading, with its place:', () => {
  const plain = plainStrings('one', 'two');
  const zeros = Buffer.alloc(20_000);

  it.each<[string, Buffer, RegExp]>([
    [
      'a huge decompressed size',
      textFile({ rows: 2, pages: dataPage(2, plain, { bytes: HUGE }), codec: 1 }),
      /a page claims \d+ bytes and 2147483647 decompressed; 134217728 are read at most/,
    ],
    [
      'a decompressed size that does not come out',
      textFile({ rows: 2, pages: dataPage(2, Buffer.from([0xff, 0x01]), { bytes: 1 << 26 }), codec: 1 }),
      /the Snappy data of a page is broken/,
    ],
    [
      'entries without end',
      textFile({ rows: HUGE, pages: dataPage(HUGE, plain) }),
      /a page claims 2147483647 entries; 16777216 are read at most/,
    ],
    [
      'more values than it has',
      textFile({ rows: 9, pages: dataPage(9, plain) }),
      /a page has fewer bytes than its values need/,
    ],
    [
      'a value longer than the page',
      textFile({ rows: 1, pages: dataPage(1, Buffer.from([255, 255, 255, 127])) }),
      /a page has fewer bytes than its values need/,
    ],
    [
      'more entries than its column',
      textFile({ rows: 1, pages: twoTexts }),
      /its pages have more than the 1 entries that it claims/,
    ],
    [
      'fewer entries than its column',
      textFile({ rows: 3, pages: twoTexts }),
      /it has fewer rows than its row group/,
    ],
    [
      'a page over the end of its column',
      textFile({ rows: 2, pages: twoTexts.subarray(0, -2) }),
      /a page of 14 bytes does not fit/,
    ],
    [
      'no dictionary',
      textFile({ rows: 1, pages: dataPage(1, Buffer.from([1, 2, 0]), { encoding: 8 }) }),
      /a page needs a dictionary, and there is none/,
    ],
    [
      'a place behind the dictionary',
      textFile({
        rows: 1,
        pages: Buffer.concat([
          dictionaryPage(1, plainStrings('a')),
          dataPage(1, Buffer.from([1, 2, 1]), { encoding: 8 }),
        ]),
      }),
      /a page has the level or place 1, and 0 is the last there is/,
    ],
    [
      'a dictionary of more values than bytes',
      textFile({ rows: 1, pages: Buffer.concat([dictionaryPage(HUGE >> 8, plain), twoTexts]) }),
      /a dictionary of 14 bytes claims 8388607 values/,
    ],
    [
      'two dictionaries',
      textFile({
        rows: 2,
        pages: Buffer.concat([dictionaryPage(2, plain), dictionaryPage(2, plain), twoTexts]),
      }),
      /it has two dictionaries/,
    ],
    [
      'runs of nothing',
      optional(5, Buffer.concat([Buffer.from([4, 0, 0, 0]), Buffer.alloc(4)])),
      /a page has an empty run/,
    ],
    ['levels behind its end', optional(5, Buffer.from([255, 0, 0, 0, 1])), /a page ends in its levels/],
    [
      'a level that is none',
      optional(5, levelRun(5, 7)),
      /a page has the level or place 7, and 1 is the last there is/,
    ],
    [
      'deltas in blocks without end',
      textFile({
        rows: 2,
        pages: dataPage(2, Buffer.concat([varint(HUGE), varint(HUGE), varint(2), varint(0), zeros]), {
          encoding: 6,
        }),
      }),
      /a page has blocks of 2147483647 deltas in 2147483647 parts/,
    ],
    [
      'an unknown encoding',
      textFile({ rows: 2, pages: dataPage(2, plain, { encoding: 77 }) }),
      /a page has the unknown encoding 77/,
    ],
    [
      'an encoding of another type',
      textFile({ rows: 2, pages: dataPage(2, plain, { encoding: 5 }) }),
      /a page /,
    ],
    ['no gzip', textFile({ rows: 2, pages: dataPage(2, plain), codec: 2 }), /incorrect header check/],
    ['no brotli', textFile({ rows: 2, pages: dataPage(2, zeros), codec: 4 }), /Decompression failed|failed/],
    [
      'no zstandard',
      textFile({ rows: 2, pages: dataPage(2, plain), codec: 6 }),
      /a page of ZSTD data has 0 bytes instead of 14/,
    ],
    [
      'no lz4',
      textFile({ rows: 2, pages: dataPage(2, plain), codec: 7 }),
      /the LZ4 data of a page is broken/,
    ],
    [
      'lzo',
      textFile({ rows: 2, pages: twoTexts, codec: 3 }),
      /it is compressed with LZO, which is not read here/,
    ],
  ])('%s', async (_, bytes, message) => {
    const { error } = await read(bytes);
    expect(error?.message).toMatch(message);
    expect(error?.message).toMatch(
      /^Cannot read .*file\.parquet, row group 0, column "text": .*\. Get the file again, whole/,
    );
    expect(error).toMatchObject({ name: 'ParquetDataError', rowGroup: 0, column: 'text' });
  });

  it('a million rows of nothing in a few bytes are read as what they are', async () => {
    const rows = 1_000_000;
    expect(await read(optional(rows, levelRun(rows, 0)))).toMatchObject({
      rows,
      rejected: rows,
      error: undefined,
    });
  });

  it('equal rows without end come to a limit', async () => {
    const rows = 1 << 24;
    const pages = Array.from({ length: 100 }, () => dataPage(rows, levelRun(rows, 0)));
    const bytes = textFile({ rows: rows * pages.length, pages: Buffer.concat(pages), repetition: 1 });
    const { error, rows: given } = await read(bytes, { maxDecompressedBytes: 1 << 25 });
    expect(given).toBeLessThan(rows * 2);
    expect(error).toMatchObject({ name: 'ParquetLimitError', maxDecompressedBytes: 1 << 25 });
    expect(error?.message).toMatch(
      /has more than the 33554432 decompressed bytes that are allowed\. Allow more \(--max-decompressed-bytes\)\.$/,
    );
  });
});

describe('a file with damaged bytes', () => {
  it.each([
    'types',
    'types-dictionary',
    'nested',
    'many-snappy',
    'many-zstd',
    'many-delta',
    'many-lz4',
    'many-gzip',
    'many-brotli',
  ])('%s gives rows or one named error', async (name) => {
    const whole = await readFile(join(fixtures, `${name}.parquet`));
    const { rows: expected } = await read(whole);
    const places = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(places, async (damage) => {
        const bytes = Buffer.from(whole);
        for (const [place, value] of damage) bytes[place] = value;
        const { records, rejected, rows, error } = await read(bytes);
        if (error !== undefined) {
          expect(['CorpusOpenError', 'ParquetDataError', 'ParquetLimitError']).toContain(error.name);
          return;
        }
        expect(records.length + rejected).toBe(rows);
        for (const record of records) JSON.parse(String(record));
        expect(rows).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('of which the end is missing is refused', async () => {
    const whole = await readFile(join(fixtures, 'many-zstd.parquet'));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
        const { error } = await read(whole.subarray(0, length));
        expect(error).toHaveProperty('name', 'CorpusOpenError');
      }),
      { numRuns: 50 },
    );
  });
});
