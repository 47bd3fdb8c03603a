import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { temporarySuffix, writeDurably } from './durable-write.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-durable-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function* blocks(...texts: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    if (text instanceof Error) throw text;
    yield Buffer.from(text);
  }
}

it('shows the old content until the new one is whole', async () => {
  const path = join(folder, 'file');
  await writeFile(path, 'old');
  const seen: string[] = [];
  await writeDurably(path, blocks('n', '', 'ew'), (moment) => seen.push(moment));
  expect(seen).toEqual(['written', 'renamed']);
  expect(await readFile(path, 'utf8')).toBe('new');
  expect(await readdir(folder)).toEqual(['file']);
});

it('leaves the old content and no temporary file when the source fails', async () => {
  const path = join(folder, 'file');
  await writeFile(path, 'old');
  await expect(writeDurably(path, blocks('n', new Error('no more')))).rejects.toThrow('no more');
  expect(await readFile(path, 'utf8')).toBe('old');
  expect(await readdir(folder)).toEqual(['file']);
});

it('writes over what a killed process left', async () => {
  const path = join(folder, 'file');
  await writeFile(path + temporarySuffix, 'something long and torn');
  await writeDurably(path, 'new');
  expect(await readFile(path, 'utf8')).toBe('new');
});
