import { expect, it } from 'vitest';
import { Metrics } from '#metrics/metrics.js';
import type { TrainingNews } from '#training/process/training-request.js';
import { StepTeller } from './step-teller.js';

const step = (number: number, epoch: number): TrainingNews => ({
  kind: 'step',
  phase: 'train',
  step: number,
  steps: 1000,
  epoch,
  loss: 1,
  rate: 1,
  norm: 1,
  rows: 1,
  tokens: 1,
  ms: 1,
});

/** How often a step is known to have gone on. @param epochSteps steps of an epoch */
async function wentOn(
  from: number,
  to: number,
  epochSteps: number,
  checkpointSteps: number,
): Promise<number> {
  let count = 0;
  const teller = new StepTeller({
    metrics: new Metrics([]),
    before: { notes: [] },
    write: () => Promise.resolve(),
    onHeard: () => undefined,
    onCheckpoint: () => {
      count += 1;
      return Promise.resolve();
    },
    log: { log: () => undefined, warn: () => undefined },
  });
  for (let number = from; number <= to; number += 1) {
    teller.news(step(number, Math.ceil(number / epochSteps)), checkpointSteps);
  }
  await teller.end();
  return count;
}

it('a training that is lost behind the end of an epoch has gone on', async () => {
  expect(await wentOn(1, 50, 50, 200)).toBe(0);
  expect(await wentOn(1, 51, 50, 200)).toBe(1);
  expect(await wentOn(1, 150, 50, 200)).toBe(2);
});

it('a checkpoint between counts where this trainer has made steps before it', async () => {
  expect(await wentOn(1, 10, 1000, 10)).toBe(0);
  expect(await wentOn(1, 11, 1000, 10)).toBe(1);
  // The checkpoint of step 10 is what it began with.
  expect(await wentOn(11, 20, 1000, 10)).toBe(0);
  expect(await wentOn(16, 21, 1000, 10)).toBe(1);
});
