import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { afterEach, beforeEach, expect, it } from 'vitest';

import type { PlannedChunk, Reject } from '../ports.js';
import { emptyTally } from '../report/tally.js';
import { ChunkStore } from './chunk-store.js';

const planned: PlannedChunk = {
  chunk: 42,
  firstRow: 101,
  rows: 3,
  range: { file: 0, start: 10, end: 60, sha256: 'a'.repeat(64) },
};
const rejects: Reject[] = [{ row: 102, reason: 'no-text-field', message: 'Expected a field "text".' }];
const tally = { ...emptyTally, rows: 3, accepted: 2 };

let folder: string;
let chunks: ChunkStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-chunks-'));
  chunks = new ChunkStore(folder, 'jsonl', () => undefined);
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

it('gives back what was committed', async () => {
  await chunks.commit(planned, Buffer.from('one\ntwo\n'), rejects, tally);
  const receipt = await chunks.receipt(planned);
  expect(receipt).toMatchObject({ ...planned, tally });
  expect(Buffer.concat(await Readable.from(chunks.output(receipt)).toArray()).toString()).toBe('one\ntwo\n');
  expect(Buffer.concat(await Readable.from(chunks.rejects(receipt)).toArray()).toString()).toBe(
    '{"row":102,"reason":"no-text-field","message":"Expected a field \\"text\\"."}\n',
  );
  expect(await readdir(folder)).toEqual(['000042.jsonl', '000042.ok', '000042.rejects.jsonl']);
});

it('writes no file of rejects where there are none', async () => {
  await chunks.commit(planned, Buffer.from('one\n'), [], tally);
  expect(await readdir(folder)).toEqual(['000042.jsonl', '000042.ok']);
  expect(await chunks.committed(planned)).toBeDefined();
});

it('does not take a chunk for committed that came from other rows or other bytes', async () => {
  await chunks.commit(planned, Buffer.from('one\n'), rejects, tally);
  const others: PlannedChunk[] = [
    { ...planned, chunk: 41 },
    { ...planned, firstRow: 100 },
    { ...planned, rows: 4 },
    { ...planned, range: { ...planned.range, file: 1 } },
    { ...planned, range: { ...planned.range, start: 9 } },
    { ...planned, range: { ...planned.range, end: 61 } },
    { ...planned, range: { ...planned.range, sha256: 'b'.repeat(64) } },
  ];
  for (const other of others) expect(await chunks.committed(other)).toBeUndefined();
  await expect(chunks.receipt(others[1]!)).rejects.toThrow(/Chunk 42 was committed.*labels just this chunk/);
});

it.each(['jsonl', 'rejects.jsonl', 'ok'])(
  'does not take a chunk for committed whose .%s is gone or changed',
  async (part) => {
    const path = join(folder, `000042.${part}`);
    for (const hurt of [() => rm(path), () => writeFile(path, 'else\n'), () => writeFile(path, '')]) {
      await chunks.commit(planned, Buffer.from('one\n'), rejects, tally);
      expect(await chunks.committed(planned)).toBeDefined();
      await hurt();
      expect(await chunks.committed(planned)).toBeUndefined();
    }
  },
);
