import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openModel } from '#model/import/open-model.js';
import { fineTuneRequest } from '../job/step-request.js';
import { fineTuneStep } from '../job/training-steps.js';
import { modelCard } from './model-card.js';

const base = join(import.meta.dirname, '../../../../test/fixtures/training');

const rows = {
  tokens: { ids: new Int32Array(8), segments: undefined, starts: Int32Array.of(0, 4, 8) },
  lengths: Int32Array.of(4, 4),
  numbers: Int32Array.of(1, 2),
  golds: Int32Array.of(0, 1),
  labels: ['x', 'y'],
  hashes: [],
  rejected: 0,
  truncated: 0,
  empty: 0,
  notes: [],
};

it.each([
  [undefined, '| began with | training |'],
  [
    { layers: 2, hiddenSize: 16, heads: 2 },
    '| began with | a new encoder (from scratch), with the tokenizer of training |',
  ],
])('says what the model began with: %j', async (fromScratch, line) => {
  const checkpoint = await openModel(base);
  const { config } = checkpoint;
  await checkpoint.close();
  const step = fineTuneStep.parse({ kind: 'train', base, data: 'data.jsonl', fromScratch });
  const places = { base, out: 'out', force: false, data: 'data.jsonl', dev: undefined, tool: 'test' };
  const request = fineTuneRequest(step, places);
  const end = { end: 'finished', steps: 4, epoch: 1, dev: undefined, backend: 'cpu', seconds: 1 } as const;
  const outcome = { out: 'out', ...end };
  expect(modelCard({ request, outcome, config, rows, dev: undefined })).toContain(line);
});
