import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { PlannedChunk } from '#pipeline/ports.js';

import { inFolder, withFile } from '../../../test/corpus-on-disk.js';
import { CorpusChangedError } from './corpus-errors.js';
import { expectPlanned } from './expect-planned.js';
import { openCorpus } from './open-corpus.js';

const content = Array.from({ length: 40 }, (_, row) => `text ${row}\n`).join('');

async function planOf(path: string, limit?: number): Promise<PlannedChunk[]> {
  const corpus = await openCorpus({ paths: [path], chunkRows: 7, limit });
  try {
    const plan: PlannedChunk[] = [];
    for await (const chunk of corpus.chunks()) plan.push(chunk);
    return plan;
  } finally {
    await corpus.close();
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** Compares standard input that comes in blocks of one size with the plan of `content`. */
function expectStdin(
  text: string,
  blockBytes: number,
  seal?: number,
  limit?: number,
  encode: (text: string) => Buffer = (plain) => Buffer.from(plain),
): Promise<void> {
  const given = encode(text);
  return withFile('in.txt', encode(content), (path) =>
    inFolder(async (folder) => {
      const spoolPath = join(folder, 'input');
      if (seal !== undefined) await writeFile(`${spoolPath}.sealed`, `${seal}\n`);
      const blocks: Buffer[] = [];
      for (let at = 0; at < given.length; at += blockBytes) {
        blocks.push(given.subarray(at, at + blockBytes));
      }
      const stdin = { stream: Readable.from(blocks), spoolPath };
      await expectPlanned({ paths: ['-'], stdin }, each(await planOf(path, limit)));
    }),
  );
}

test('the same bytes pass, in whatever blocks, and so does nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 500 }), fc.boolean(), async (blockBytes, sealed) => {
      await expectStdin(content, blockBytes, sealed ? content.length : undefined);
    }),
    { numRuns: 20 },
  );
  await expectStdin('', 1, content.length);
});

test('any changed byte is found, and its range told', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(content.length - 1), fc.integer({ min: 1, max: 500 }), async (at, blockBytes) => {
      const changed = `${content.slice(0, at)}#${content.slice(at + 1)}`;
      const error = await expectStdin(changed, blockBytes).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(CorpusChangedError);
      if (!(error instanceof CorpusChangedError)) return;
      expect(error.range.start).toBeLessThanOrEqual(at);
      expect(error.range.end).toBeGreaterThan(at);
    }),
    { numRuns: 20 },
  );
});

test('compressed input is compared by its content, and its size by what was given', async () => {
  const packed = gzipSync(content);
  for (const blockBytes of [1, 1000]) {
    await expectStdin(content, blockBytes, packed.length, undefined, gzipSync);
    await expectStdin(content, blockBytes, undefined, 20, gzipSync);
    const changed = content.replace('text 9', 'next 9');
    await expect(expectStdin(changed, blockBytes, undefined, undefined, gzipSync)).rejects.toThrow(
      CorpusChangedError,
    );
    const longer = expectStdin(content, blockBytes, packed.length - 1, undefined, gzipSync);
    await expect(longer).rejects.toThrow(`found ${packed.length} bytes`);
  }
});

test('a shorter or longer input is found', async () => {
  await expect(expectStdin(content.slice(0, -3), 50)).rejects.toThrow(`found an end at byte`);
  const longer = expectStdin(`${content}more\n`, 50, content.length);
  await expect(longer).rejects.toThrow(
    `should be ${content.length} bytes, found ${content.length + 5} bytes`,
  );
});

test('what comes behind a limit is not compared', async () => {
  await expectStdin(`${content}more\n`, 50, undefined, 20);
});

test('a file is compared', async () => {
  await withFile('in.txt', content, async (path) => {
    const plan = await planOf(path);
    await expectPlanned({ paths: [path] }, each(plan));
    await writeFile(path, content.replace('text 9', 'next 9'));
    await expect(expectPlanned({ paths: [path] }, each(plan))).rejects.toMatchObject({
      name: 'CorpusChangedError',
      range: plan[1]?.range,
    });
  });
});
