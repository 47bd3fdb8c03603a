import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inputPath } from './input-path.js';

let folder: string;
let root: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-input-'));
  root = join(folder, 'input');
  await mkdir(join(root, 'deep'), { recursive: true });
  await writeFile(join(folder, 'secret.txt'), 'x');
  await writeFile(join(root, 'deep/a b%.txt'), 'x');
  await symlink('../secret.txt', join(root, 'out.txt'));
  await symlink('..', join(root, 'up'));
  await symlink('deep/a b%.txt', join(root, 'in.txt'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each(['deep/a b%.txt', './deep/../deep/a b%.txt'.replace('../deep/', ''), 'in.txt'])(
  'reads %s',
  async (path) => {
    expect(await inputPath(root, path)).toBe(join(root, 'deep/a b%.txt'));
  },
);

it.each([
  '../secret.txt',
  'deep/../../secret.txt',
  '/etc/passwd',
  'deep\\..\\..\\secret.txt',
  '%2e%2e/secret.txt',
  'deep/%2E%2E%2f..',
  'out.txt',
  'up/secret.txt',
  'deep',
  '.',
  '',
  'none.txt',
  'deep/a\0.txt',
  'x'.repeat(5000),
])('refuses %j', async (path) => {
  await expect(inputPath(root, path)).rejects.toMatchObject({ name: 'InputPathError', path });
});

it('reads nothing where no folder is allowed', async () => {
  await expect(inputPath(null, 'in.txt')).rejects.toThrow('takes uploads only');
});
