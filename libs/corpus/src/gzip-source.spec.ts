import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { inFolder, joined, readChunks, withFile } from '../../../test/corpus-on-disk.js';
import {
  fileOf,
  gzipCuts,
  gzipMembers,
  readings,
  readOptionsOf,
  writeZeros,
  writtenCorpora,
} from '../../../test/written-corpus.js';
import type { ByteSource } from './byte-source.js';
import { FileSource } from './byte-source.js';
import { noConvention } from './convention.js';
import { GzipSource } from './gzip-source.js';
import { openCorpus } from './open-corpus.js';
import { RecordCorpus } from './record-corpus.js';
import { lineGrammar, neverBlank } from './record-grammar.js';
import { lineCells, tableRowParser } from './table-rows.js';

const lines = Array.from({ length: 3000 }, (_, row) => `text ${row}`);
const content = `${lines.join('\n')}\n`;

test('compressed, in whatever pieces, a corpus gives the same chunks, from wherever they are read', async () => {
  await fc.assert(
    fc.asyncProperty(writtenCorpora, readings, gzipCuts, async (corpus, how, cuts) => {
      const plain = fileOf(corpus);
      await inFolder(async (folder) => {
        const [path, packed] = [join(folder, 'plain'), join(folder, 'packed.gz')];
        await writeFile(path, plain);
        await writeFile(packed, gzipMembers(plain, cuts));
        const options = { ...readOptionsOf(corpus), ...how };
        const chunks = await readChunks(openCorpus({ ...options, paths: [path] }));
        const open = () => openCorpus({ ...options, paths: [packed] });
        expect(await readChunks(open())).toEqual(chunks);
        const again = await open();
        for (const [index, chunk] of chunks.entries()) {
          expect(await readChunks(open(), chunk)).toEqual(chunks.slice(index + 1));
          await again.verify(chunk);
          expect(await again.reread(chunk)).toEqual(chunk);
        }
        await again.close();
      });
    }),
    { numRuns: 60 },
  );
});

test('any bytes come out of any place in any order, also for many readers at once', async () => {
  await withFile('a.gz', gzipMembers(content, [[0.5, 6]]), async (path) => {
    const source = new GzipSource(await FileSource.open(path), {});
    const places = fc.array(fc.tuple(fc.nat(content.length + 5), fc.integer({ min: 1, max: 40_000 })), {
      minLength: 1,
    });
    await fc.assert(
      fc.asyncProperty(places, async (reads) => {
        await Promise.all(
          reads.map(async ([position, length]) => {
            const target = Buffer.alloc(length);
            const read = await source.read(target, position);
            expect(target.toString('utf8', 0, read)).toBe(content.slice(position, position + read));
            expect(read > 0).toBe(position < content.length);
          }),
        );
      }),
      { numRuns: 30 },
    );
    await source.close();
  });
});

test('a file is gzip by its first bytes, whatever its name', async () => {
  await withFile('a.txt', gzipSync(content), async (path) => {
    expect(joined(await readChunks(openCorpus({ paths: [path] }))).texts).toEqual(lines);
  });
});

test.each<[string, Buffer, RegExp]>([
  ['no gzip', Buffer.from(content), /its name ends in \.gz, but it is not compressed/],
  ['nothing', Buffer.alloc(0), /its name ends in \.gz, but it is empty/],
])('does not open a name that promises gzip for %s', async (_, bytes, message) => {
  await withFile('a.txt.gz', bytes, async (path) => {
    await expect(openCorpus({ paths: [path] })).rejects.toThrow(message);
  });
});

/** A file of two members whose second is not as it should be. */
const packed = gzipMembers(content.repeat(50), [[0.5, 6]]);
const ends: [string, Buffer, RegExp][] = [
  ['is cut short', packed.subarray(0, -5), /it ends in the middle of a gzip member/],
  [
    'is cut behind a header',
    packed.subarray(0, packed.lastIndexOf('\x1f\x8b', undefined, 'latin1') + 10),
    /middle/,
  ],
  [
    'is followed by text',
    Buffer.concat([packed, Buffer.from('garbage')]),
    /something else than gzip data follows/,
  ],
  [
    'is followed by zeros',
    Buffer.concat([packed, Buffer.alloc(512)]),
    /something else than gzip data follows/,
  ],
  [
    'is parted by zeros',
    Buffer.concat([packed, Buffer.alloc(512), packed]),
    /something else than gzip data follows/,
  ],
  ['has a wrong checksum', flipped(packed, packed.length - 6), /a checksum does not fit/],
  ['has a wrong length', flipped(packed, packed.length - 2), /a checksum does not fit/],
];

test.each(ends)('a file that %s is no end of the corpus', async (_, bytes, message) => {
  await withFile('a.txt.gz', bytes, async (path) => {
    const corpus = await openCorpus({ paths: [path], chunkRows: 100 });
    let rows = 0;
    const reading = async () => {
      for await (const chunk of corpus.chunks()) rows += chunk.rows;
    };
    const error: unknown = await reading().catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'GzipDataError', path, message: expect.stringMatching(message) });
    expect(error).toMatchObject({ message: expect.stringContaining('Get the file again, whole') });
    // Asked again, it does not take the broken place for the end.
    await expect(reading()).rejects.toMatchObject({ name: 'GzipDataError' });
    await corpus.close();
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = changed[at]! ^ 1;
  return changed;
}

test('what is damaged later costs no row before it', async () => {
  await withFile(
    'a.txt.gz',
    Buffer.concat([gzipSync(content), gzipSync(content).subarray(0, 2000)]),
    async (path) => {
      const corpus = await openCorpus({ paths: [path], chunkRows: 500 });
      const texts: string[] = [];
      await expect(
        (async () => {
          for await (const chunk of corpus.chunks()) texts.push(...chunk.texts);
        })(),
      ).rejects.toThrow(/middle of a gzip member/);
      await corpus.close();
      expect(texts.slice(0, 3000)).toEqual(lines);
    },
  );
});

test('a file that changes while it is read is noticed', async () => {
  await withFile('a.txt.gz', packed, async (path) => {
    const corpus = await openCorpus({ paths: [path], chunkRows: 100 });
    const chunks = corpus.chunks()[Symbol.asyncIterator]();
    const first = await chunks.next();
    await truncate(path, 1000);
    if (first.done === true) throw new Error('expected a chunk');
    await expect(
      corpus.verify({ ...first.value, range: { ...first.value.range, end: 4_000_000 } }),
    ).rejects.toThrow(/changed|a shorter file/);
    await corpus.close();
  });
});

test.each([1, 9])('a bomb of compression level %i is refused soon and in little memory', async (level) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'bomb.jsonl.gz');
    await writeZeros(path, 192 << 20, level);
    const before = process.memoryUsage().rss;
    await expect(readChunks(openCorpus({ paths: [path] }))).rejects.toMatchObject({
      name: 'GzipLimitError',
      message: expect.stringMatching(
        /bomb\.jsonl\.gz looks like a decompression bomb: 67\d+ bytes came out of \d+\./,
      ),
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
  });
});

test('a limit that is given is the limit', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'zeros.txt.gz');
    await writeZeros(path, 80 << 20, 6);
    const read = (maxDecompressedBytes: number) =>
      readChunks(openCorpus({ paths: [path], maxDecompressedBytes }));
    expect(joined(await read(80 << 20))).toMatchObject({ rows: 1, rejects: [{ reason: 'too-long' }] });
    await expect(read((80 << 20) - 1)).rejects.toThrow(
      /has more than the 83886079 decompressed bytes that are allowed\. Allow more \(--max-decompressed-bytes\)/,
    );
  });
});

test('rows that are too long to be kept are passed without starting again for each', async () => {
  const rows = Array.from({ length: 40 }, (_, row) => (row % 2 === 0 ? `short ${row}` : randomText(200_000)));
  await withFile('a.txt.gz', gzipSync(rows.join('\n')), async (path) => {
    const file = await FileSource.open(path);
    let bytesRead = 0;
    const counted: ByteSource = {
      path,
      bytes: file.bytes,
      read: async (target, position) => {
        const read = await file.read(target, position);
        bytesRead += read;
        return read;
      },
      close: () => file.close(),
    };
    const corpus = new RecordCorpus({
      source: new GzipSource(counted, {}),
      file: 0,
      bodyStart: 0,
      grammar: () => lineGrammar(neverBlank),
      split: { maxRowBytes: 1000, readBytes: 4096 },
      chunk: { rows: 7, bytes: 1 << 20 },
      limit: Infinity,
      convention: noConvention,
      fields: { kind: 'cells', names: ['text'], chosen: false },
      parse: tableRowParser({ columns: ['text'], kept: [0], cells: lineCells }, { text: 'text' }),
    });
    const { texts, rejects } = joined(await readChunks(Promise.resolve(corpus)));
    expect(texts).toEqual(rows.filter((_, row) => row % 2 === 0));
    expect(rejects.map(({ reason }) => reason)).toEqual(Array.from({ length: 20 }, () => 'too-long'));
    expect(bytesRead).toBeLessThan(2.5 * file.bytes);
  });
});

function randomText(characters: number): string {
  let text = '';
  for (let seed = characters; text.length < characters; seed = (seed * 1103515245 + 12345) % 2147483648) {
    text += seed.toString(36);
  }
  return text.slice(0, characters);
}

test('the guess of its size becomes its size', async () => {
  const text = Array.from({ length: 2000 }, (_, row) => `${randomText(500 + row)}\n`).join('');
  await withFile('a.txt.gz', gzipSync(text), async (path) => {
    const corpus = await openCorpus({ paths: [path] });
    const guess = corpus.bytes ?? 0;
    for await (const chunk of corpus.chunks()) void chunk;
    const size = corpus.bytes;
    await corpus.close();
    expect(size).toBe(text.length);
    expect(Math.abs(guess - text.length) / text.length).toBeLessThan(0.2);
  });
});

/** The compressed bytes as a stream of blocks. */
function inBlocks(bytes: number): Readable {
  const count = Math.ceil(packed.length / bytes);
  return Readable.from(
    Array.from({ length: count }, (_, index) => packed.subarray(index * bytes, (index + 1) * bytes)),
  );
}

test('standard input may be compressed', async () => {
  await inFolder(async (folder) => {
    const spoolPath = join(folder, 'input');
    const open = (stream: Readable) =>
      openCorpus({ paths: ['-'], format: 'txt', stdin: { stream, spoolPath } });
    const first = joined(await readChunks(open(Readable.from([packed.subarray(0, 1), packed.subarray(1)]))));
    expect(first.texts).toHaveLength(lines.length * 50);
    expect(first.rejects).toEqual([]);
    expect(joined(await readChunks(open(inBlocks(777))))).toEqual(first);
  });
});

test('closing ends the wait for compressed standard input', async () => {
  await inFolder(async (folder) => {
    const stream = new PassThrough();
    const spoolPath = join(folder, 'input');
    stream.write(packed.subarray(0, 20_000));
    const corpus = await openCorpus({
      paths: ['-'],
      format: 'txt',
      stdin: { stream, spoolPath },
      chunkRows: 10_000_000,
    });
    const next = expect(corpus.chunks()[Symbol.asyncIterator]().next()).rejects.toThrow();
    await corpus.close();
    await next;
  });
});
