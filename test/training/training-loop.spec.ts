/** The loop of a training: what makes a step, and when it ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import { openModel } from '#model/import/open-model.js';
import { chooseBackend } from '#training/backend/choose-backend.js';
import { Random } from '#training/data/random.js';
import type { TrainingRows } from '#training/data/read-rows.js';
import { balancedWeights, fineTuneTask } from '#training/fine-tune/fine-tune-task.js';
import type { LoopHooks, LoopOptions, LoopResult } from '#training/loop/train.js';
import { train } from '#training/loop/train.js';
import type { StepEvent, TrainingEvent } from '#training/loop/training-events.js';
import { TrainingStates } from '#training/loop/training-state.js';
import type { TrainingTask } from '#training/loop/training-task.js';
import type { TrainableModel } from '#training/model/trainable-model.js';
import { readTrainable } from '#training/model/trainable-model.js';
import { checkpointShape, vocabularySize, writeRandomCheckpoint } from '../random-checkpoint.js';
import { trainingBackend } from './training-backend.js';

const options: LoopOptions = {
  epochs: 1,
  batchTokens: 64,
  accumulate: 1,
  rate: 1e-3,
  warmUp: 0.1,
  weightDecay: 0.01,
  clip: 1,
  seed: 1,
  patience: 0,
  checkpointSteps: 1000,
};
const plain = { joint: 'last', dropout: 0, classWeights: null } as const;

let folder: string;
let checkpoint: Checkpoint;
let model: TrainableModel;
beforeAll(async () => {
  await chooseBackend(trainingBackend);
  folder = await mkdtemp(join(tmpdir(), 'sluice-loop-'));
  await writeRandomCheckpoint(join(folder, 'model'), checkpointShape({ layers: 1 }));
  checkpoint = await openModel(join(folder, 'model'));
});
afterAll(async () => {
  await checkpoint.close();
  await rm(folder, { recursive: true });
});

async function newModel(): Promise<TrainableModel> {
  return readTrainable(checkpoint, checkpoint.config, new Random(1));
}
beforeEach(async () => void (model = await newModel()));
afterEach(() => model.dispose());

/** Rows of 8 tokens each. */
function rowsOf(golds: readonly number[]): TrainingRows {
  const random = new Random(5);
  const count = golds.length;
  return {
    tokens: {
      ids: Int32Array.from({ length: 8 * count }, () => Math.floor(random.uniform() * vocabularySize)),
      segments: undefined,
      starts: Int32Array.from({ length: count + 1 }, (_, row) => 8 * row),
    },
    lengths: new Int32Array(count).fill(8),
    numbers: Int32Array.from({ length: count }, (_, row) => row + 1),
    golds: Int32Array.from(golds),
    labels: ['class-0', 'class-1', 'class-2'],
    hashes: [],
    rejected: 0,
    truncated: 0,
    empty: 0,
    notes: [],
  };
}

const unkept: LoopHooks['states'] = {
  restore: () => Promise.resolve(undefined),
  save: () => Promise.resolve(),
};

const stepsOf = (events: readonly TrainingEvent[]): StepEvent[] =>
  events.filter((event) => event.kind === 'step');

/** What one step of 8 rows makes of a model: its loss, and the optimiser's means of the gradients. */
async function oneStep(how: Partial<LoopOptions>): Promise<{ event: StepEvent; first: number[] }> {
  const own = await newModel();
  const events: TrainingEvent[] = [];
  const first: number[] = [];
  const task = fineTuneTask(own, rowsOf([0, 1, 2, 0, 1, 2, 0, 1]), undefined, plain);
  await train(
    task,
    { ...options, ...how },
    {
      states: {
        ...unkept,
        save: (_, optimiser) => {
          for (const moments of optimiser.moments.values()) first.push(...moments.first);
          return Promise.resolve();
        },
      },
      onEvent: (event) => events.push(event),
    },
  );
  own.dispose();
  expect(stepsOf(events)).toHaveLength(1);
  return { event: stepsOf(events)[0]!, first };
}

describe('a step', () => {
  it('of several batches has the gradients of one that holds them all', async () => {
    const whole = await oneStep({ batchTokens: 64 });
    const parts = await oneStep({ batchTokens: 16, accumulate: 4 });
    expect(parts.event).toMatchObject({ rows: 8, tokens: 64 });
    expect(parts.event.loss).toBeCloseTo(whole.event.loss, 5);
    expect(parts.event.norm).toBeCloseTo(whole.event.norm, 4);
    const furthest = parts.first.reduce(
      (most, part, at) => Math.max(most, Math.abs(part - whole.first[at]!)),
      0,
    );
    expect(whole.first.some((part) => Math.abs(part) > 1e-3)).toBe(true);
    expect(furthest).toBeLessThan(1e-5);
  });

  it('with balanced weights gives every class the same part in the loss, however many rows it has', async () => {
    const golds = [0, 0, 0, 0, 0, 1, 1, 2];
    const corpus = rowsOf(golds);
    const lossOf = async (
      rows: readonly number[],
      classWeights: readonly number[] | null,
    ): Promise<number> => {
      const task = fineTuneTask(model, corpus, undefined, { ...plain, classWeights });
      return (await task.gradients(Int32Array.from(rows), new Random(1), 0)).loss;
    };
    const classes = [[0, 1, 2, 3, 4], [5, 6], [7]];
    const means = await Promise.all(classes.map((rows) => lossOf(rows, null)));
    const mean = means.reduce((sum, each) => sum + each / 3, 0);
    const all = [...golds.keys()];
    expect(await lossOf(all, balancedWeights(corpus.golds!, 3))).toBeCloseTo(mean, 4);
    expect(Math.abs((await lossOf(all, null)) - mean)).toBeGreaterThan(1e-3);
  });
});

describe('a training that ends early', () => {
  const scores = [0.4, 0.6, 0.5, 0.6, 0.9];
  const patient = { ...options, epochs: 5, patience: 2 };

  /** What dev says of each epoch is set. */
  function scripted(own: TrainableModel, evaluated: number[]): TrainingTask {
    const task = fineTuneTask(own, rowsOf([0, 1, 2, 0, 1, 2]), undefined, plain);
    return {
      ...task,
      evaluate: () => {
        evaluated.push(scores[evaluated.length]!);
        return [{ layer: 1, share: evaluated.at(-1)! }];
      },
      score: ([figure]) => figure!.share,
    };
  }

  it('has the numbers of its best epoch, and makes the same after it was stopped at any of its epochs', async () => {
    let best: Map<string, Float32Array> | undefined;
    const task = scripted(model, []);
    const whole = await train(task, patient, {
      states: unkept,
      onEvent: (event) => {
        if (event.kind === 'epoch' && event.epoch === 2) {
          best = new Map(Array.from(model.values, ([name, values]) => [name, values.slice()]));
        }
      },
    });
    expect(whole).toMatchObject({ end: 'early', epoch: 2, steps: 4 });
    expect(new Map(model.values)).toEqual(best);
    for (const last of [1, 2, 3]) {
      const evaluated: number[] = [];
      const work = join(folder, `stopped-${last}`);
      const stopped = await resumed(work, evaluated, last);
      expect(stopped.result).toMatchObject({ end: 'stopped', steps: last });
      const gone = await resumed(work, evaluated);
      expect(gone.result).toMatchObject({ end: 'early', epoch: 2, steps: 4 });
      expect(gone.values).toEqual(best);
      // One that was killed before it could write what it made waits no longer.
      const again = await resumed(work, evaluated.slice(0, 1));
      expect(again.result).toMatchObject({ end: 'early', epoch: 2, steps: 4 });
      expect([again.steps, again.values]).toEqual([0, best]);
    }
  });

  /** Goes on in a folder. @param last epoch behind which it is stopped */
  async function resumed(
    work: string,
    evaluated: number[],
    last?: number,
  ): Promise<{ result: LoopResult; values: Map<string, Float32Array>; steps: number }> {
    const own = await newModel();
    const stop = new AbortController();
    const events: TrainingEvent[] = [];
    const result = await train(scripted(own, evaluated), patient, {
      states: new TrainingStates(work, 'the same'),
      signal: stop.signal,
      onEvent: (event) => {
        events.push(event);
        if (event.kind === 'epoch' && event.epoch === last) stop.abort();
      },
    });
    const values = new Map(own.values);
    own.dispose();
    return { result, values, steps: stepsOf(events).length };
  }
});

it('is stopped while it counts the steps of more epochs than anybody waits for', async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  const begun = performance.now();
  const task = fineTuneTask(
    model,
    rowsOf(Array.from({ length: 3000 }, (_, row) => row % 3)),
    undefined,
    plain,
  );
  const result = await train(
    task,
    { ...options, epochs: 10_000 },
    { states: unkept, signal: stop.signal, onEvent: () => undefined },
  );
  expect(result).toMatchObject({ end: 'stopped', steps: 0 });
  expect(performance.now() - begun).toBeLessThan(5000);
});
