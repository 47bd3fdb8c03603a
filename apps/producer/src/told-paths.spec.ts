import { relative } from 'node:path';
import { expect, it } from 'vitest';
import { toldPaths } from './told-paths.js';

const run = '/data/runs/3x';
const roots = ['/data/in (1)', run, `${run}/input`, '/'];

it.each([
  ['Cannot read /data/runs/3x/input/a b.txt: no', 'Cannot read a b.txt: no'],
  ["EACCES: denied, open '/data/runs/3x/run/lock'", "EACCES: denied, open 'run/lock'"],
  ["rename '/data/runs/3x/run/a' -> '/data/runs/3x/a'", "rename 'run/a' -> 'a'"],
  ['"/data/in (1)/2024/a.csv", line 3', '"2024/a.csv", line 3'],
  ['at /mnt/data/runs/3x/a and data/runs/3x', 'at /mnt/data/runs/3x/a and data/runs/3x'],
  ['/data/runs/3xy/a, /data/in /1/a', '/data/runs/3xy/a, /data/in /1/a'],
  ['1 / 2 rows of a/b', '1 / 2 rows of a/b'],
])('%s', (text, told) => {
  expect(toldPaths(text, roots)).toBe(told);
});

it('roots may be relative, and their paths absolute', () => {
  expect(toldPaths(`${run}/a, ${relative('.', run)}/b`, [relative('.', run)])).toBe('a, b');
});

it('without roots nothing changes', () => {
  expect(toldPaths(`${run}/a`, [])).toBe(`${run}/a`);
});
