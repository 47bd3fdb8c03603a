import { describe, expect, it } from 'vitest';
import { checkpointShape, configJson } from '../../../../test/random-checkpoint.js';
import { CheckpointError } from '../checkpoint/checkpoint-config.js';
import { parseHuggingFaceConfig } from './huggingface-config.js';

const huggingFace = (changes: object = {}): unknown => {
  const { sluice: _, ...config } = configJson(checkpointShape());
  return {
    ...config,
    architectures: ['BertForSequenceClassification'],
    id2label: { 1: 'pos', 0: 'neg' },
    ...changes,
  };
};

describe('parseHuggingFaceConfig', () => {
  it('reads a Hugging Face classifier: its pooler is the one exit', () => {
    expect(parseHuggingFaceConfig('c', huggingFace())).toMatchObject({
      labels: ['neg', 'pos'],
      maxLength: 130,
      exits: [{ layer: 3, kind: 'pooler' }],
    });
  });

  it('knows the two labels that Hugging Face leaves out of the config', () => {
    expect(parseHuggingFaceConfig('c', huggingFace({ id2label: undefined })).labels).toEqual([
      'LABEL_0',
      'LABEL_1',
    ]);
  });

  it.each<[string, unknown, RegExp]>([
    ['a bare backbone', huggingFace({ architectures: ['BertModel'] }), /expected; this is BertModel/],
    [
      'no word of a classifier',
      huggingFace({ architectures: undefined, id2label: undefined }),
      /id2label names 0 classes/,
    ],
    ['a regression', huggingFace({ id2label: { 0: 'score' } }), /id2label names 1 classes/],
    [
      'a gap in the labels',
      huggingFace({ id2label: { 0: 'a', 2: 'b' } }),
      /each of 0 to 1 a label of its own/,
    ],
    ['one name for two labels', huggingFace({ id2label: { 0: 'a', 1: 'a' } }), /a label of its own/],
    ['no object', [], /not a BERT config/],
  ])('refuses %s', (_, json, message) => {
    const parse = (): unknown => parseHuggingFaceConfig('dir/config.json', json);
    expect(parse).toThrow(CheckpointError);
    expect(parse).toThrow(message);
    expect(parse).toThrow(/^dir\/config\.json: /);
  });
});
