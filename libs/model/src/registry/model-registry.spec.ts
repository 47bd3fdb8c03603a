import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { modelReference } from './model-name.js';
import { bundleDirectory, ModelRegistry, NoSuchVersionError } from './model-registry.js';

describe('ModelRegistry', () => {
  let folder: string;
  let registry: ModelRegistry;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-registry-'));
    registry = new ModelRegistry(join(folder, 'models'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A folder with a bundle.json, told apart by its content. */
  async function bundle(content: string, directory = join(folder, `made-${content}`)): Promise<string> {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'bundle.json'), content);
    return directory;
  }

  const inUse = async (name: string): Promise<string> => {
    const { directory } = await registry.version(name);
    return readFile(join(directory, 'bundle.json'), 'utf8');
  };

  test('the first version is used at once, a later one when it is promoted, and the one before after a roll-back', async () => {
    await registry.add('topics', await bundle('one'));
    await registry.add('topics', await bundle('two'));
    expect(await inUse('topics')).toBe('one');
    await registry.promote('topics', 2);
    expect(await inUse('topics')).toBe('two');
    await registry.rollBack('topics');
    expect(await inUse('topics')).toBe('one');
    await expect(registry.rollBack('topics')).rejects.toThrow(
      'No version of topics was promoted before the one in use.',
    );
    expect(await inUse('topics')).toBe('one');
  });

  async function threePromoted(): Promise<void> {
    for (const content of ['one', 'two', 'three']) await registry.add('topics', await bundle(content));
    await registry.promote('topics', 2);
    await registry.promote('topics', 3);
  }

  test('promotions that cannot be read are no reason to go back to the first version, and are not written over', async () => {
    await threePromoted();
    const file = join(registry.root, 'topics', 'promoted.json');
    const torn = (await readFile(file, 'utf8')).slice(0, 30);
    await writeFile(file, torn);
    const error = /^promoted\.json of the model topics cannot be read \(it is damaged\): .* delete it/;
    await expect(registry.version('topics')).rejects.toThrow(error);
    await expect(bundleDirectory(join(registry.root, 'topics'))).rejects.toThrow(error);
    await expect(registry.promote('topics', 2)).rejects.toThrow(error);
    await expect(registry.rollBack('topics')).rejects.toThrow(error);
    expect(await readFile(file, 'utf8')).toBe(torn);
    // One that is named is found.
    expect((await registry.version('topics', 3)).version).toBe(3);
    await rm(file);
    expect(await inUse('topics')).toBe('one');
  });

  test('a new version does not take the number of a promoted one that was deleted', async () => {
    await threePromoted();
    await rm(join(registry.root, 'topics', 'v3'), { recursive: true });
    expect(await inUse('topics')).toBe('two');
    const { version } = await registry.add('topics', await bundle('four'));
    expect([version, await inUse('topics')]).toEqual([4, 'two']);
  });

  test('a roll-back leaves out versions that were deleted', async () => {
    await threePromoted();
    await rm(join(registry.root, 'topics', 'v3'), { recursive: true });
    expect((await registry.versionBefore('topics')).version).toBe(1);
    await registry.rollBack('topics');
    expect(await inUse('topics')).toBe('one');
    await expect(registry.rollBack('topics')).rejects.toBeInstanceOf(NoSuchVersionError);
  });

  test('promoting the version in use again changes nothing', async () => {
    await registry.add('topics', await bundle('one'));
    await registry.add('topics', await bundle('two'));
    await registry.promote('topics', 2);
    await registry.promote('topics', 2);
    await registry.rollBack('topics');
    expect(await inUse('topics')).toBe('one');
  });

  test('a bundle that lies in the folder of the model is version 0, and can be rolled back to', async () => {
    await bundle('flat', join(registry.root, 'spam'));
    expect(await registry.names()).toEqual(['spam']);
    await registry.add('spam', await bundle('one'));
    expect(await inUse('spam')).toBe('flat');
    await registry.promote('spam', 1);
    expect(await inUse('spam')).toBe('one');
    expect(await bundleDirectory(join(registry.root, 'spam'))).toBe(join(registry.root, 'spam', 'v1'));
    await registry.rollBack('spam');
    expect(await bundleDirectory(join(registry.root, 'spam'))).toBe(join(registry.root, 'spam'));
    expect((await registry.versions('spam')).map(({ version }) => version)).toEqual([1, 0]);
  });

  test('versions that are added at the same time all get a number of their own', async () => {
    const sources = await Promise.all(Array.from({ length: 12 }, (_, index) => bundle(String(index))));
    await Promise.all(sources.map((source) => registry.add('topics', source)));
    const versions = await registry.versions('topics');
    expect(versions.map(({ version }) => version)).toEqual(
      Array.from({ length: 12 }, (_, index) => 12 - index),
    );
    const contents = await Promise.all(
      versions.map(({ directory }) => readFile(join(directory, 'bundle.json'), 'utf8')),
    );
    expect(new Set(contents).size).toBe(12);
    expect((await readdir(join(registry.root, 'topics'))).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('a folder that is no bundle keeps its number, and is no version', async () => {
    await mkdir(join(registry.root, 'topics', 'v1'), { recursive: true });
    const { version } = await registry.add('topics', await bundle('one'));
    expect(version).toBe(2);
    expect(await inUse('topics')).toBe('one');
  });

  test('what is not there is named, with what is', async () => {
    await registry.add('topics', await bundle('one'));
    await expect(registry.version('tropics')).rejects.toThrow('There is no model "tropics". Models: topics.');
    await expect(registry.version('topics', 7)).rejects.toThrow('topics has no version 7. Versions: 1.');
    await expect(registry.promote('topics', 7)).rejects.toBeInstanceOf(NoSuchVersionError);
  });

  test.each(['../topics', 'a/b', '', '.hidden', 'a\0b', 'topics@1', 'n'.repeat(201), '汉'.repeat(67)])(
    '%j is no name',
    async (name) => {
      await expect(registry.add(name, await bundle('one'))).rejects.toBeInstanceOf(NoSuchVersionError);
      expect(await registry.versions(name)).toEqual([]);
    },
  );
});

describe('modelReference', () => {
  test.each([
    ['topics', { name: 'topics', version: undefined }],
    ['topics@3', { name: 'topics', version: 3 }],
    ['spam@0', { name: 'spam', version: 0 }],
  ])('reads %s', (text, expected) => expect(modelReference(text)).toEqual(expected));

  test.each(['topics@', '@3', 'topics@-1', '../x', 'a/b@1', 'topics@latest', ''])('%j is none', (text) => {
    expect(modelReference(text)).toBeUndefined();
  });
});
