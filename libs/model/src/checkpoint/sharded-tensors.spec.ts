import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { float32Tensor, safetensorsFile } from '../../../../test/safetensors-file.js';
import { openWeights, openWeightsFile } from './open-weights.js';

const fixtures = join(import.meta.dirname, '../../../../test/fixtures');

let folder: string;
let index: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-shards-'));
  index = join(folder, 'model.safetensors.index.json');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const shard = (name: string, values: readonly number[]): Buffer =>
  safetensorsFile(new Map([[name, float32Tensor([values.length], Float32Array.from(values))]]));
const writeIndex = (weightMap: unknown): Promise<void> =>
  writeFile(index, JSON.stringify({ weight_map: weightMap }));

beforeEach(async () => {
  await writeFile(join(folder, 'one.safetensors'), shard('a', [1, 2]));
  await writeFile(join(folder, 'two.bin'), await readFile(join(fixtures, 'torch/views-zip.bin')));
});

it('reads tensors of shards, each in its format', async () => {
  await writeIndex({ a: 'one.safetensors', row: 'two.bin', scalar: 'two.bin' });
  const tensors = await openWeights(folder);
  expect(tensors.names()).toEqual(['a', 'row', 'scalar']);
  expect(tensors.shape('row')).toEqual([12]);
  expect(tensors.shape('plain'), 'in a shard, but not of the model').toBeUndefined();
  expect(Array.from(await tensors.read('a'))).toEqual([1, 2]);
  expect(Array.from(await tensors.read('scalar'))).toEqual([7.5]);
  await expect(tensors.read('plain')).rejects.toThrow("there is no tensor 'plain'");
  expect(tensors.description).toBe('2 files of safetensors, float32; torch (zip container), float32');
  await tensors.close();
});

async function hashOfIndex(): Promise<string> {
  const tensors = await openWeightsFile(index);
  const hash = await tensors.sha256();
  await tensors.close();
  return hash;
}

it('has the bytes of all shards in its checksum', async () => {
  await writeIndex({ a: 'one.safetensors', row: 'two.bin' });
  const before = await hashOfIndex();
  expect(await hashOfIndex()).toBe(before);
  await writeFile(join(folder, 'one.safetensors'), shard('a', [1, 3]));
  expect(await hashOfIndex()).not.toBe(before);
});

describe('an index that lies', () => {
  const other = { a: 'one.safetensors' };
  it.each([
    [
      'a shard that is missing',
      { ...other, b: 'three.safetensors' },
      /names the file three\.safetensors, which is missing/,
    ],
    [
      'a tensor that its shard has not',
      { ...other, row: 'one.safetensors' },
      /tensor 'row' is said to be in one\.safetensors, which does not have it/,
    ],
    [
      'a shard above',
      { a: '../one.safetensors' },
      /names the file "\.\.\/one\.safetensors"; only files beside it are read/,
    ],
    ['a shard below', { a: 'deep/one.safetensors' }, /only files beside it/],
    ['a shard anywhere', { a: '/etc/passwd' }, /names the file "\/etc\/passwd"; only files beside it/],
    ['a shard by a Windows path', { a: String.raw`..\one.safetensors` }, /only files beside it/],
    ['the folder itself', { a: '.' }, /only files beside it/],
    ['the folder above', { a: '..' }, /only files beside it/],
    ['no name', { a: '' }, /only files beside it/],
    ['a name with NUL', { a: 'one.safetensors\0' }, /only files beside it/],
    [
      'itself',
      { a: 'model.safetensors.index.json' },
      /model\.safetensors\.index\.json: neither a safetensors file nor one of torch/,
    ],
    ['a folder', { a: 'folder' }, /folder: it is a folder/],
    ['names that are numbers', { a: 7 }, /weight_map\.a: Invalid input: expected string, received number/],
    ['no map', undefined, /weight_map: Invalid input: expected record/],
    [
      'a thousand and one files',
      Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`t${i}`, `f${i}`])),
      /names 1001 files; at most 1000/,
    ],
  ])('%s', async (_, weightMap, says) => {
    await mkdir(join(folder, 'folder'), { recursive: true });
    await writeIndex(weightMap);
    const error = await openWeightsFile(index).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'CheckpointError', message: expect.stringMatching(says) });
    expect(String(error).split('\n')).toHaveLength(1);
  });

  it('no JSON', async () => {
    await writeFile(index, '{"weight_map": {');
    await expect(openWeightsFile(index)).rejects.toThrow(/model\.safetensors\.index\.json: not JSON/);
  });
});

describe('weights in the place of which something else lies', () => {
  it.each([
    [
      'a pointer of Git LFS',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n',
      /git lfs pull/,
    ],
    ['nothing', '', /neither a safetensors file nor one of torch/],
    ['a page of HTML', '<!doctype html><title>429</title>', /neither a safetensors file nor one of torch/],
    ['a pickle of no container', Buffer.from('8002580100000061712e', 'hex'), /neither a safetensors file/],
  ])('%s', async (_, content, says) => {
    const path = join(folder, 'pytorch_model.bin');
    await writeFile(path, content);
    await expect(openWeightsFile(path)).rejects.toThrow(says);
  });

  it('the format is told by the content, not by the name', async () => {
    const path = join(folder, 'weights');
    await cp(join(folder, 'one.safetensors'), path);
    const tensors = await openWeightsFile(path);
    expect(tensors.names()).toEqual(['a']);
    await tensors.close();
  });

  it('a folder without any', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    await expect(openWeights(empty)).rejects.toThrow(
      /empty: not a checkpoint: weights are expected in model\.safetensors, /,
    );
  });
});
