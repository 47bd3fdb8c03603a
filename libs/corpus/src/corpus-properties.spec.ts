import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { CorpusChunk } from '#pipeline/ports.js';

import { joined, readChunks, withFile } from '../../../test/corpus-on-disk.js';
import {
  fileOf,
  isTable,
  readings,
  readOptionsOf,
  textsOf,
  writtenCorpora,
} from '../../../test/written-corpus.js';
import type { WrittenCorpus } from '../../../test/written-corpus.js';
import { openCorpus } from './open-corpus.js';

test('rows survive, whatever they hold and however they are read', async () => {
  await fc.assert(
    fc.asyncProperty(writtenCorpora, readings, async (corpus, how) => {
      await withFile('corpus', fileOf(corpus), async (path) => {
        const chunks = await readChunks(openCorpus({ ...readOptionsOf(corpus), paths: [path], ...how }));
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
    fc.asyncProperty(writtenCorpora, readings, async (corpus, how) => {
      const content = `${fileOf(corpus)}${corpus.format === 'txt' ? '' : '\n\r\n'}`;
      await withFile('corpus', content, async (path) => {
        const open = () => openCorpus({ ...readOptionsOf(corpus), paths: [path], ...how });
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

const brokenLines: Record<WrittenCorpus['format'], (string | Buffer)[]> = {
  jsonl: ['{"text":"x"', '{"text":7}', '[]', `{"text":"${'x'.repeat(5000)}"}`],
  csv: ['a,"b', '"a', '"a"b,c', 'a', 'a,b,c', `a,${'x'.repeat(5000)}`],
  tsv: ['a\t"b', '"a', '"a"b\tc', 'a', 'a\tb\tc', `a\t${'x'.repeat(5000)}`],
  txt: ['x'.repeat(5000)],
};

test('a broken record costs itself alone', async () => {
  await fc.assert(
    fc.asyncProperty(writtenCorpora, readings, fc.nat(), fc.nat(), async (corpus, how, place, which) => {
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
          openCorpus({ ...readOptionsOf(corpus), paths: [path], ...how, maxRowBytes: 4000 }),
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
