import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { emptyTally } from '../report/tally.js';
import { RunDirectory } from './run-directory.js';
import type { RunSettings } from './run-record.js';

const settings: RunSettings = {
  files: [{ path: '-', bytes: null }],
  bundle: 'b'.repeat(64),
  format: 'txt',
  policy: new Map([[0, 0.2]]),
  options: { textField: 'body' },
  fingerprint: 'here',
  chunkRows: 10,
};
const planned = {
  chunk: 0,
  firstRow: 1,
  rows: 1,
  range: { file: 0, start: 0, end: 4, sha256: 'a'.repeat(64) },
};

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-directory-'));
  folder = join(root, 'run');
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

async function isUnused(change: (run: RunDirectory) => Promise<void>): Promise<boolean> {
  const run = await RunDirectory.open(folder, settings);
  try {
    await change(run);
    return await run.isUnused();
  } finally {
    await run.close();
  }
}

it('that came to nothing is removed whole', async () => {
  const run = await RunDirectory.open(folder, settings);
  await writeFile(run.spool, '');
  expect(await run.isUnused()).toBe(true);
  await run.discard();
  await expect(readdir(folder)).rejects.toThrow('ENOENT');
});

it('is kept where a row was planned, even the end of an empty corpus', async () => {
  expect(await isUnused((run) => run.plan.append(planned))).toBe(false);
  await rm(folder, { recursive: true });
  expect(await isUnused((run) => run.plan.seal())).toBe(false);
});

it('is kept where standard input was spooled', async () => {
  expect(await isUnused((run) => writeFile(run.spool, 'text'))).toBe(false);
});

it('is kept where another process made it, and where a damaged plan hides what was committed', async () => {
  await isUnused(async () => undefined);
  expect(await isUnused(async () => undefined)).toBe(false);
  await writeFile(join(folder, 'plan.jsonl'), '#damaged\n');
  await mkdir(join(folder, 'chunks'), { recursive: true });
  await writeFile(join(folder, 'chunks/000000.ok'), '');
  expect(await isUnused(async () => undefined)).toBe(false);
});

it('takes other settings until something is planned or committed', async () => {
  await isUnused((run) => writeFile(run.spool, 'text'));
  const corrected = { ...settings, options: { textField: 'text' } };
  const run = await RunDirectory.open(folder, corrected);
  expect(run.record.options).toEqual({ textField: 'text' });
  await run.chunks.commit(planned, Buffer.from('row'), [], emptyTally);
  await run.close();
  await expect(RunDirectory.open(folder, settings)).rejects.toMatchObject({ name: 'RunMismatchError' });
});

it('takes another head of the output until something is planned or committed', async () => {
  await isUnused((run) => run.expectHead(Buffer.from('a,b')));
  await isUnused(async (run) => {
    await run.expectHead(Buffer.from('a,b,c'));
    await run.plan.append(planned);
    await run.expectHead(Buffer.from('a,b,c'));
  });
  await isUnused(async (run) => {
    await expect(run.expectHead(Buffer.from('a,b'))).rejects.toThrow(
      /^The columns of the output are no longer those that the run in .* began with: /,
    );
    await run.removeParts();
  });
  expect(await readdir(folder)).toEqual(['plan.jsonl', 'run.json']);
});
