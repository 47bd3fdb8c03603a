import { expect, it } from 'vitest';
import { checkSteps } from './check-steps.js';
import { fineTuneStep } from './training-steps.js';

it('has patience only where there is a dev corpus', () => {
  const step = { kind: 'train', base: 'base', data: 'data.jsonl', patience: 2 };
  expect(() => checkSteps([fineTuneStep.parse(step)])).toThrow('steps[0] (train) has patience');
  expect(() => checkSteps([fineTuneStep.parse({ ...step, dev: 'dev.jsonl' })])).not.toThrow();
});
