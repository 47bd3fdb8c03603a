import { beforeAll, expect, it } from 'vitest';
import { join } from 'node:path';
import type { CheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import { openModel } from '#model/import/open-model.js';
import { fineTuneRequest } from '../job/step-request.js';
import { fineTuneStep } from '../job/training-steps.js';
import { fineTunedConfig } from './trained-config.js';

let base: CheckpointConfig;
beforeAll(async () => {
  const checkpoint = await openModel(join(import.meta.dirname, '../../../../test/fixtures/training'));
  base = checkpoint.config;
  await checkpoint.close();
});

function configOf(labels: readonly string[], newHead = false): CheckpointConfig {
  const step = fineTuneStep.parse({ kind: 'train', base: 'base', data: 'data.jsonl', newHead });
  const places = { base: 'base', out: 'out', force: false, data: 'data.jsonl', dev: undefined, tool: 'test' };
  return fineTunedConfig(base, fineTuneRequest(step, places), labels);
}

it('has no label twice', () => {
  expect(() => configOf(['x', 'y', 'y'], true)).toThrow('a model cannot have the label "y" twice');
});

it('goes on with a head only where its labels mean what they did', () => {
  expect(configOf(base.labels).labels).toEqual(base.labels);
  expect(() => configOf(base.labels.toReversed())).toThrow(
    `its head has the labels in the order ${base.labels.join(', ')}`,
  );
  expect(configOf(base.labels.toReversed(), true).labels).toEqual(base.labels.toReversed());
});
