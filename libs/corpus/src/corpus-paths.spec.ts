import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { expect, test } from 'vitest';

import { inFolder } from '../../../test/corpus-on-disk.js';
import { corpusPaths } from './corpus-paths.js';

const names = [
  'a.csv',
  'b.csv',
  'B.csv',
  'é.csv',
  '10.csv',
  '9.csv',
  '.hidden.csv',
  'a[1].csv',
  'a1.csv',
  'a.jsonl.gz',
  'deep/a.csv',
  'deep/er/b.csv',
  'deep/.no/c.csv',
  'x+y.csv',
];

async function inTree(use: (folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    for (const name of names) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), '');
    }
    await mkdir(join(folder, 'folder.csv'));
    await symlink('a.csv', join(folder, 'link.csv'));
    await symlink('.', join(folder, 'deep/loop'));
    await use(folder);
  });
}

test.each<[string[], string[]]>([
  [['*.csv'], ['10.csv', '9.csv', 'B.csv', 'a.csv', 'a1.csv', 'a[1].csv', 'b.csv', 'x+y.csv', 'é.csv']],
  [['?.csv'], ['9.csv', 'B.csv', 'a.csv', 'b.csv', 'é.csv']],
  [['[a-b].csv'], ['a.csv', 'b.csv']],
  [['[!a-b].csv'], ['9.csv', 'B.csv', 'é.csv']],
  [['x+*.csv'], ['x+y.csv']],
  [['.*.csv'], ['.hidden.csv']],
  [['*.gz'], ['a.jsonl.gz']],
  [['*/*.csv'], ['deep/a.csv']],
  [['deep/**/*.csv'], ['deep/a.csv', 'deep/er/b.csv']],
  [['**/b.csv'], ['b.csv', 'deep/er/b.csv']],
  [
    ['b.csv', 'a.csv'],
    ['b.csv', 'a.csv'],
  ],
  [
    ['b.csv', '[ab].csv', './b.csv', 'link.csv'],
    ['b.csv', 'a.csv'],
  ],
  [['a[1].csv'], ['a[1].csv']],
  [['none.csv'], ['none.csv']],
])('%j', async (given, expected) => {
  await inTree(async (folder) => {
    const paths = await corpusPaths(given.map((name) => join(folder, '.', name)));
    expect(paths.map((path) => path.slice(folder.length + 1))).toEqual(expected);
  });
});

test('no pattern stands for what the run of the corpus writes', async () => {
  await inTree(async (folder) => {
    const own = [join(folder, 'b.csv'), join(folder, 'deep')];
    const paths = await corpusPaths([join(folder, '**/[ab].csv'), join(folder, 'deep/a.csv')], own);
    expect(paths).toEqual([join(folder, 'a.csv'), join(folder, 'deep/a.csv')]);
    expect(await corpusPaths([join(folder, 'b.csv')], own)).toEqual([join(folder, 'b.csv')]);
  });
});

test('a file that is found but cannot be looked at is not passed over', async () => {
  await inTree(async (folder) => {
    await symlink('nothing', join(folder, 'gone.tsv'));
    const paths = await corpusPaths([join(folder, '*.tsv')]);
    expect(paths.map((path) => path.slice(folder.length + 1))).toEqual(['gone.tsv']);
  });
});

test('standard input is no pattern', async () => {
  expect(await corpusPaths(['-'])).toEqual(['-']);
});

test.each([
  ['*.parquet', /Cannot read .*\*\.parquet: no file matches this pattern\./],
  ['none/*/x', /no file matches this pattern/],
  ['deep', /deep: it is a folder\. Name its files, such as '.*deep\/\*\.jsonl'\./],
])('%s is refused', async (name, message) => {
  await inTree(async (folder) => {
    await expect(corpusPaths([join(folder, name)])).rejects.toThrow(message);
  });
});
