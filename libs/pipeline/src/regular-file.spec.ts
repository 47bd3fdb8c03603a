import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRegularFile, readRegularFile, RegularFileError } from './regular-file.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-regular-'));
  await writeFile(join(folder, 'file'), 'grün');
  execFileSync('mkfifo', [join(folder, 'pipe')]);
});
afterAll(() => rm(folder, { recursive: true }));

it('reads a file', async () => {
  expect(await readRegularFile(join(folder, 'file'))).toBe('grün');
  expect(await readRegularFile(join(folder, 'file'), 5)).toBe('grün');
});

it('refuses a longer one', async () => {
  await expect(readRegularFile(join(folder, 'file'), 4)).rejects.toThrow(
    'it has 5 bytes; at most 4 are read',
  );
});

it.each(['.', 'pipe', '/dev/zero'])('refuses %s at once', async (name) => {
  const path = resolve(folder, name);
  await expect(openRegularFile(path)).rejects.toThrow(RegularFileError);
  await expect(readRegularFile(path)).rejects.toThrow('where a file is expected');
});

it('passes on that there is nothing', async () => {
  await expect(readRegularFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});
