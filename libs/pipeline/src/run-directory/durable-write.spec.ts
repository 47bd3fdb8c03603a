import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { makeFolder, temporarySuffix, withPath, writeDurably } from './durable-write.js';

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

it('makes the folders on the way, also where one of them is made meanwhile', async () => {
  const path = join(folder, 'a', 'b');
  await Promise.all([makeFolder(path), makeFolder(join(path, 'c')), makeFolder(join(path, 'd'))]);
  expect((await readdir(path)).sort()).toEqual(['c', 'd']);
  await makeFolder(path);
});

it('fails where a file is in the way, or the file system makes no folders', async () => {
  await writeFile(join(folder, 'file'), '');
  await expect(makeFolder(join(folder, 'file', 'a'))).rejects.toThrow('ENOTDIR');
  if (process.platform === 'linux') await expect(makeFolder('/proc/a/b')).rejects.toThrow('ENOENT');
});

it('names the file that could not be written, once', () => {
  const nameless = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  expect(withPath(nameless, 'runs/plan.jsonl')).toMatchObject({
    code: 'ENOSPC',
    message: "ENOSPC: no space left on device, write 'runs/plan.jsonl'",
  });
  const named = Object.assign(new Error("EACCES: permission denied, open 'a'"), {
    code: 'EACCES',
    path: 'a',
  });
  expect(withPath(named, 'b')).toMatchObject({ message: "EACCES: permission denied, open 'a'" });
  expect(withPath(new Error('no more'), 'b')).toMatchObject({ message: 'no more' });
});
