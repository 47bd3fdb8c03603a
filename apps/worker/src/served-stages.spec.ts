import { expect, it } from 'vitest';
import { servedStages } from './served-stages.js';

const layout = {
  labels: ['a', 'b'],
  task: 'single' as const,
  hiddenSize: 2,
  activation: 'float32' as const,
  stages: [{ exits: [0] }, { exits: [1] }, { exits: [2] }],
};

it.each([
  ['all', [0, 2]],
  ['1', [0, 0]],
  ['3', [2, 2]],
  ['2-3', [1, 2]],
  ['1-3', [0, 2]],
])('%s are stages %j', (setting, stages) => {
  expect(servedStages(setting, layout)).toEqual(stages);
});

it.each(['0', '4', '2-4', '3-2'])('%s are none of this bundle', (setting) => {
  expect(() => servedStages(setting, layout)).toThrow(`Expected stages from 1 to 3`);
});
