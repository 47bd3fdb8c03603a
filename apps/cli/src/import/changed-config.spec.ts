import { expect, it } from 'vitest';
import type { CheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import { UsageError } from '#run/usage-error.js';
import type { ConfigChanges } from './changed-config.js';
import { changedConfig } from './changed-config.js';

const config: CheckpointConfig = {
  geometry: {
    vocabSize: 70,
    hiddenSize: 16,
    embeddingSize: 16,
    layers: 2,
    heads: 2,
    intermediateSize: 32,
    activation: 'gelu',
    maxPositions: 40,
    segments: 2,
    layerNormForm: 'standard',
    layerNormEps: 1e-12,
  },
  labels: ['0', '1'],
  problem: 'single-label',
  task: 'single',
  maxLength: 40,
  specialTokens: 'cls-sep',
  exits: [{ layer: 2, kind: 'pooler', activation: 'tanh' }],
};
const backbone = { ...config, labels: [], exits: [] };

it('changes what is given, and nothing else', () => {
  expect(changedConfig(config, {})).toEqual(config);
  const changes: ConfigChanges = { labels: ['bad', 'good'], task: 'pair', maxLength: 12 };
  expect(changedConfig(config, changes)).toEqual({ ...config, ...changes });
  expect(changedConfig(backbone, { maxLength: 12 })).toEqual({ ...backbone, maxLength: 12 });
});

it.each<[CheckpointConfig, ConfigChanges, string]>([
  [config, { labels: ['a', 'b', 'c'] }, 'The model has 2 classes; 3 labels were given.'],
  [config, { labels: ['a', 'a'] }, 'The label "a" is given twice.'],
  [backbone, { labels: ['a', 'b'] }, 'a bare backbone: it gets its labels when it is trained'],
  [config, { maxLength: 41 }, '--max-length is 41, but the model has 40 positions.'],
])('refuses what does not fit the model', (from, changes, message) => {
  expect(() => changedConfig(from, changes)).toThrow(UsageError);
  expect(() => changedConfig(from, changes)).toThrow(message);
});
