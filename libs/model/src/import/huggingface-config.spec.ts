import { describe, expect, it } from 'vitest';
import { checkpointShape, configJson } from '../../../../test/random-checkpoint.js';
import { CheckpointError } from '../checkpoint/checkpoint-config.js';
import type { HuggingFaceContext, HuggingFaceModel } from './huggingface-config.js';
import { parseHuggingFaceConfig } from './huggingface-config.js';
import { families } from './huggingface-families.js';

const huggingFace = (changes: object = {}): unknown => {
  const { sluice: _, ...config } = configJson(checkpointShape());
  return {
    ...config,
    architectures: ['BertForSequenceClassification'],
    id2label: { 1: 'pos', 0: 'neg' },
    ...changes,
  };
};

const parse = (changes: object = {}, context: Partial<HuggingFaceContext> = {}): HuggingFaceModel =>
  parseHuggingFaceConfig('dir/config.json', huggingFace(changes), {
    familyOfTensors: () => families[0]!,
    hasHead: () => false,
    tokenizerConfig: undefined,
    specialTokens: 'cls-sep',
    ...context,
  });

const lengthOfTokenizer = (most: unknown): number =>
  parse({}, { tokenizerConfig: { model_max_length: most } }).config.maxLength;

describe('parseHuggingFaceConfig', () => {
  it('reads a classifier: its pooler is the one exit', () => {
    expect(parse().config).toMatchObject({
      labels: ['neg', 'pos'],
      maxLength: 130,
      problem: 'single-label',
      exits: [{ layer: 3, kind: 'pooler', activation: 'tanh' }],
    });
  });

  it('knows the two labels that transformers leaves out of the config', () => {
    expect(parse({ id2label: undefined }).config.labels).toEqual(['LABEL_0', 'LABEL_1']);
  });

  it.each(['BertModel', 'BertForMaskedLM', 'BertForPreTraining', 'BertForTokenClassification'])(
    'takes %s for a bare backbone',
    (architecture) => {
      expect(parse({ architectures: [architecture] }).config).toMatchObject({ labels: [], exits: [] });
    },
  );

  it('asks the tensors where no architecture is named', () => {
    expect(parse({ architectures: undefined }).config.exits).toHaveLength(0);
    expect(parse({ architectures: undefined }, { hasHead: () => true }).config.exits).toHaveLength(1);
  });

  it.each<[object, string]>([
    [{ id2label: { 0: 'score' } }, 'regression'],
    [{ problem_type: 'regression' }, 'regression'],
    [{ problem_type: 'multi_label_classification' }, 'multi-label'],
    [{ problem_type: null }, 'single-label'],
  ])('%j is a %s head', (changes, problem) => {
    expect(parse(changes).config.problem).toBe(problem);
  });

  it('counts positions of RoBERTa from behind the padding token, and uses segment 0 alone', () => {
    const model = parse({ model_type: 'roberta', pad_token_id: 1, type_vocab_size: 2 });
    expect(model).toMatchObject({ firstPosition: 2, segmentRows: 2 });
    expect(model.config.geometry).toMatchObject({ maxPositions: 128, segments: 1 });
    expect(model.config.maxLength).toBe(128);
  });

  it('reads DistilBERT by its own keys', () => {
    const own = { dim: 24, n_layers: 2, n_heads: 2, hidden_dim: 48, activation: 'relu' };
    expect(parse({ model_type: 'distilbert', ...own }).config.geometry).toMatchObject({
      hiddenSize: 24,
      layers: 2,
      heads: 2,
      intermediateSize: 48,
      activation: 'relu',
      segments: 0,
    });
  });

  it('reads how long texts may be from the tokenizer, which may say nothing', () => {
    expect(lengthOfTokenizer(64)).toBe(64);
    expect(lengthOfTokenizer(1e30)).toBe(130);
    expect(lengthOfTokenizer('many')).toBe(130);
  });

  it.each<[string, object, RegExp]>([
    [
      'a model of another kind',
      { model_type: 'gpt2' },
      /model_type is "gpt2"; those that can be read are bert, /,
    ],
    ['a gap in the labels', { id2label: { 0: 'a', 2: 'b' } }, /each of 0 to 1 a label of its own/],
    ['one name for two labels', { id2label: { 0: 'a', 1: 'a' } }, /a label of its own/],
    ['relative positions', { position_embedding_type: 'relative_key' }, /position_embedding_type/],
    ['a decoder', { is_decoder: true }, /is_decoder/],
  ])('refuses %s', (_, changes, message) => {
    const refused = (): unknown => parse(changes);
    expect(refused).toThrow(CheckpointError);
    expect(refused).toThrow(message);
    expect(refused).toThrow(/^dir\/config\.json: /);
  });

  it('refuses what is no object', () => {
    const context = { familyOfTensors: () => families[0]!, hasHead: () => false, tokenizerConfig: undefined };
    const refused = (): unknown => parseHuggingFaceConfig('c', [], { ...context, specialTokens: 'cls-sep' });
    expect(refused).toThrow(/^c: not a config of/);
  });
});
