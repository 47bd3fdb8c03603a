import { expect, it } from 'vitest';
import type { EpochEvent, StepEvent } from '../loop/training-events.js';
import { trainingCurves } from './training-curves.js';

const step = (number: number): StepEvent => ({
  kind: 'step',
  phase: 'train',
  step: number,
  steps: 200_000,
  epoch: number,
  loss: 1,
  rate: 1e-3,
  norm: 1,
  rows: 1,
  tokens: 8,
  ms: 1,
});

const epoch = (number: number): EpochEvent => ({
  kind: 'epoch',
  phase: 'train',
  epoch: number,
  step: number,
  dev: [{ layer: 1, share: 0.5 }],
  score: 0.5,
  isBest: number === 1,
});

it('draws as many steps and epochs as a training has', () => {
  const numbers = Array.from({ length: 200_000 }, (_, index) => index + 1);
  expect(trainingCurves('long', [...numbers.map(step), ...numbers.map(epoch)])).toContain('200,000 steps');
});
