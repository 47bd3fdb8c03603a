import { expect, it } from 'vitest';
import { parseRepository } from './repository.js';

it.each([
  ['bert-base-chinese', 'bert-base-chinese', 'main'],
  ['google-bert/bert-base-uncased', 'google-bert/bert-base-uncased', 'main'],
  ['owner/name.v2_x@v1.0', 'owner/name.v2_x', 'v1.0'],
  ['owner/name@refs/pr/7', 'owner/name', 'refs/pr/7'],
  ['owner/name@feature@2', 'owner/name', 'feature@2'],
])('%s is a model at a revision', (given, id, revision) => {
  expect(parseRepository(given)).toEqual({ id, revision });
});

it.each([
  '',
  'a/b/c',
  'https://huggingface.co/owner/name',
  '../name',
  'owner/..',
  'owner/',
  '/name',
  'owner/na--me',
  'owner/.name',
  'owner/name.git',
  'owner/name-',
  'owner/na me',
  `owner/${'n'.repeat(97)}`,
])('%j is none', (given) => {
  expect(() => parseRepository(given)).toThrow(/^Expected the id of a model, such as .*; got "/);
});

it.each(['', '..', 'a/../b', 'a b', 'a\nb', 'a?b', '/a', 'a/'])('%j is no revision', (revision) => {
  expect(() => parseRepository(`owner/name@${revision}`)).toThrow(/^Expected a branch, tag or commit/);
});
