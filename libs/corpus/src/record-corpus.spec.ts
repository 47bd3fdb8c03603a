import { readFile, truncate, writeFile } from 'node:fs/promises';

import { expect, test } from 'vitest';

import type { PlannedChunk } from '#pipeline/ports.js';

import { readChunks, withFile } from '../../../test/corpus-on-disk.js';
import { CorpusChangedError } from './corpus-errors.js';
import { openCorpus } from './open-corpus.js';

const content = '\uFEFFid,text\n1,a\n\n2,b\n3,"c\nc"\n4,d\n\n\n';

function holds({ range }: PlannedChunk, at: number): boolean {
  return at >= range.start && at < range.end;
}

test('the ranges of the chunks hold header, rows and blank lines', async () => {
  const chunks = await withFile('a.csv', content, (path) =>
    readChunks(openCorpus({ paths: [path], chunkRows: 2 })),
  );
  const bytes = Buffer.from(content);
  expect(chunks.map(({ range }) => bytes.toString('utf8', range.start, range.end))).toEqual([
    '\uFEFFid,text\n1,a\n\n2,b\n',
    '3,"c\nc"\n4,d\n\n\n',
  ]);
  expect(chunks).toMatchObject([
    { chunk: 0, firstRow: 1, rows: 2, range: { file: 0 } },
    { chunk: 1, firstRow: 3, rows: 2, range: { file: 0 } },
  ]);
});

test('any changed byte is noticed when its chunk is read or verified again', async () => {
  await withFile('a.csv', content, async (path) => {
    const chunks = await readChunks(openCorpus({ paths: [path], chunkRows: 2 }));
    const original = await readFile(path);
    const corpus = await openCorpus({ paths: [path], chunkRows: 2 });
    for (const at of original.keys()) {
      const changed = Buffer.from(original);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await writeFile(path, changed);
      for (const chunk of chunks) {
        if (holds(chunk, at)) {
          await expect(corpus.verify(chunk)).rejects.toThrow(CorpusChangedError);
          await expect(corpus.reread(chunk)).rejects.toThrow(CorpusChangedError);
        } else {
          await corpus.verify(chunk);
          await corpus.reread(chunk);
        }
      }
    }
    await corpus.close();
  });
});

test('a file that became shorter is noticed, and the error says where', async () => {
  await withFile('a.csv', content, async (path) => {
    const chunks = await readChunks(openCorpus({ paths: [path], chunkRows: 2 }));
    const corpus = await openCorpus({ paths: [path], chunkRows: 2 });
    await truncate(path, 25);
    const verifying = Promise.all(chunks.map((chunk) => corpus.verify(chunk)));
    const error: unknown = await verifying.catch((error: unknown) => error);
    await corpus.close();
    expect(error).toMatchObject({
      name: 'CorpusChangedError',
      path,
      found: 'a shorter file',
      range: { start: 25 },
    });
  });
});
