import { mkdir, mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compileBundle } from '#model/compile/compile-bundle.js';
import { checkpointShape, writeRandomCheckpoint } from '../../../../test/random-checkpoint.js';
import { BundleCache, cacheFolder } from './bundle-cache.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-cache-'));
  await writeRandomCheckpoint(join(scratch, 'checkpoint'), checkpointShape({ layers: 1 }));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const compile = (out: string): Promise<unknown> =>
  compileBundle({
    checkpoint: join(scratch, 'checkpoint'),
    out,
    force: false,
    precision: 'fp32',
    minAgreement: 0.99,
    tool: 'test',
  });

async function failing(out: string): Promise<void> {
  await mkdir(out);
  throw new Error('no weights');
}

/** Makes a folder that was last used so many days ago. */
async function folderOf(days: number, path: string): Promise<void> {
  const then = new Date(Date.now() - days * 86_400_000);
  await mkdir(path, { recursive: true });
  await utimes(path, then, then);
}

it('lets go of what was not used for 30 days, and of what was never finished, when a bundle is added', async () => {
  const cache = new BundleCache(scratch);
  const bundles = join(scratch, 'bundles');
  await folderOf(31, join(bundles, 'old'));
  await folderOf(29, join(bundles, 'young'));
  await folderOf(2, join(bundles, 'making-old'));
  await folderOf(0.5, join(bundles, 'making-young'));
  expect(await cache.find('key', 'name')).toBeUndefined();
  const added = await cache.add('key', 'name', compile);
  expect(added.directory).toBe(cache.place('key', 'name'));
  expect((await readdir(bundles)).sort()).toEqual(['key', 'making-young', 'young']);
});

it('keeps what is in use', async () => {
  const cache = new BundleCache(scratch);
  await folderOf(40, join(scratch, 'bundles/key'));
  expect((await cache.find('key', 'name'))?.manifest.name).toBe('name');
  const { mtimeMs } = await stat(join(scratch, 'bundles/key'));
  expect(Date.now() - mtimeMs).toBeLessThan(60_000);
});

it('leaves nothing of a compilation that fails', async () => {
  const cache = new BundleCache(join(scratch, 'failing'));
  await expect(cache.add('key', 'name', failing)).rejects.toThrow('no weights');
  expect(await readdir(join(scratch, 'failing/bundles'))).toEqual([]);
});

it.each([
  [{ SLUICE_CACHE: '/a', XDG_CACHE_HOME: '/b' }, '/a'],
  [{ SLUICE_CACHE: '', XDG_CACHE_HOME: '/b' }, '/b/sluice'],
  [{}, expect.stringMatching(/\/\.cache\/sluice$/)],
])('is where %j says', (env, folder) => {
  expect(cacheFolder(env)).toEqual(folder);
});
