import { expect, it } from 'vitest';
import { paintFor } from './paint.js';
import { textWidth } from './text-width.js';
import type { TrainingProgress } from '#training/report/training-progress.js';
import { trainingView } from './training-view.js';

const progress: TrainingProgress = {
  phase: 'training',
  fraction: 0.25,
  what: '',
  step: 310,
  steps: 1240,
  epoch: 2,
  loss: 0.21345,
  rate: 7.2e-5,
  stepsPerSecond: 1.9,
  dev: [
    { layer: 0, share: 0.881 },
    { layer: 6, share: 0.896 },
  ],
};

it('tells loss, steps, speed, what is left, the rate and the figures on dev', () => {
  expect(trainingView.line(progress)).toBe(
    'training: 25 %, loss 0.213, step 310 of 1,240 (epoch 2), 1.9 steps/s, 8 min 09 s left, rate 7.2e-5, exit 0 0.881, exit 6 0.896',
  );
});

it('tells what is prepared', () => {
  const preparing = { ...progress, phase: 'preparing', what: 'hidden states of texts', dev: [] } as const;
  expect(trainingView.line(preparing)).toBe('preparing: 25 %, hidden states of texts');
});

it.each([20, 40, 80])('fits into %i columns', (columns) => {
  const lines = trainingView.picture(progress, columns, paintFor({ isTTY: false }, {}));
  for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(columns);
});
