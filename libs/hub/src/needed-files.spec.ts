import { expect, it } from 'vitest';
import { neededFiles } from './needed-files.js';

const named = (listed: readonly string[], include: readonly string[] = []): string[] =>
  [...neededFiles('owner/name', listed, include).names].sort();

/** As google-bert/bert-base-uncased has them. */
const everything = [
  '.gitattributes',
  'LICENSE',
  'README.md',
  'config.json',
  'coreml/fill-mask/float32_model.mlpackage/Data/com.apple.CoreML/model.mlmodel',
  'flax_model.msgpack',
  'model.onnx',
  'model.safetensors',
  'pytorch_model.bin',
  'rust_model.ot',
  'tf_model.h5',
  'tokenizer.json',
  'tokenizer_config.json',
  'vocab.txt',
];

it('chooses one format of the weights and one of the tokenizer', () => {
  expect(named(everything)).toEqual([
    'config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  const without = (...missing: string[]): string[] =>
    named(everything.filter((name) => !missing.includes(name)));
  expect(without('model.safetensors', 'tokenizer.json')).toEqual([
    'config.json',
    'pytorch_model.bin',
    'tokenizer_config.json',
    'vocab.txt',
  ]);
});

it('takes vocab.json only with its merges', () => {
  const listed = ['config.json', 'model.safetensors', 'vocab.json', 'merges.txt', 'special_tokens_map.json'];
  expect(named(listed)).toEqual([...listed].sort());
  expect(() => named(listed.filter((name) => name !== 'merges.txt'))).toThrow(
    /has no tokenizer that can be read/,
  );
});

it('names the index of sharded weights, safetensors first', () => {
  const listed = ['config.json', 'vocab.txt', 'pytorch_model.bin.index.json', 'model.safetensors.index.json'];
  expect(neededFiles('a', listed, []).index).toBe('model.safetensors.index.json');
  expect(neededFiles('a', listed.slice(0, 3), []).index).toBe('pytorch_model.bin.index.json');
  expect(neededFiles('a', [...listed, 'pytorch_model.bin'], []).index).toBe('model.safetensors.index.json');
  expect(neededFiles('a', everything, []).index).toBeUndefined();
});

it.each([
  ['config.json', ['model.safetensors', 'vocab.txt']],
  ['weights', ['config.json', 'vocab.txt', 'model.onnx', 'model-00001-of-00002.safetensors']],
  ['tokenizer', ['config.json', 'model.safetensors', 'spiece.model']],
])('says that the %s is missing and what there is', (missing, listed) => {
  const error = expect.objectContaining({ name: 'NotReadableError', missing, found: listed });
  expect(() => named(listed)).toThrow(error);
  expect(() => named(listed)).toThrow(`found ${listed.join(', ')}`);
});

it.each([
  ['*.md', ['README.md']],
  ['flax_model.msgpack', ['flax_model.msgpack']],
  ['?ICENSE', ['LICENSE']],
  ['coreml/**', [everything[4]!]],
  ['**/*.mlmodel', [everything[4]!]],
  ['**/LICENSE', ['LICENSE']],
  ['*.[m]d', undefined],
  ['*', everything.filter((name) => !name.includes('/'))],
  ['coreml/*', undefined],
])('adds what %s matches', (pattern, added) => {
  const wanted = new Set([...named(everything), ...(added ?? [])]);
  if (added === undefined)
    expect(() => named(everything, [pattern])).toThrow(`--include ${pattern} matches no file`);
  else expect(named(everything, [pattern])).toEqual(everything.filter((name) => wanted.has(name)));
});
