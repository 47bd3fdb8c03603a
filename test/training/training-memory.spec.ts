/** A training of days keeps no tensor of a step, and no memory: the real loop, over more than a thousand steps of many shapes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import { HiddenStates } from '#model/compile/hidden-states.js';
import { openModel } from '#model/import/open-model.js';
import { chooseBackend } from '#training/backend/choose-backend.js';
import { Random } from '#training/data/random.js';
import type { TrainingRows } from '#training/data/read-rows.js';
import { distilTask } from '#training/distil/distil-task.js';
import { StateCache } from '#training/distil/state-cache.js';
import { fineTuneTask } from '#training/fine-tune/fine-tune-task.js';
import { train } from '#training/loop/train.js';
import type { TrainingTask } from '#training/loop/training-task.js';
import type { TrainableModel } from '#training/model/trainable-model.js';
import { readTrainable } from '#training/model/trainable-model.js';
import {
  checkpointShape,
  randomNumbers,
  vocabularySize,
  writeRandomCheckpoint,
} from '../random-checkpoint.js';
import { trainingBackend } from './training-backend.js';

const STEPS = 1200;
/** Steps in which a backend's own pools grow to the largest batch. */
const WARM = 400;
const SAMPLE = 100;
const MiB = 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

let folder: string;
let checkpoint: Checkpoint;
let model: TrainableModel;
beforeAll(async () => {
  await chooseBackend(trainingBackend);
  folder = await mkdtemp(join(tmpdir(), 'sluice-memory-'));
  await writeRandomCheckpoint(join(folder, 'model'), checkpointShape({ layers: 1 }));
  checkpoint = await openModel(join(folder, 'model'));
  model = await readTrainable(checkpoint, checkpoint.config, new Random(1));
});
afterAll(async () => {
  model.dispose();
  await checkpoint.close();
  await rm(folder, { recursive: true });
});

/** Rows of 3 to 34 tokens. */
function randomRows(count: number): TrainingRows {
  const random = randomNumbers(5);
  const below = (bound: number): number => Math.floor(random() * bound);
  const lengths = Int32Array.from({ length: count }, () => 3 + below(32));
  const starts = Int32Array.of(0, ...lengths);
  for (let row = 1; row <= count; row++) starts[row]! += starts[row - 1]!;
  return {
    tokens: {
      ids: Int32Array.from({ length: starts[count]! }, () => below(vocabularySize)),
      segments: undefined,
      starts,
    },
    lengths,
    numbers: Int32Array.from({ length: count }, (_, row) => row + 1),
    golds: Int32Array.from({ length: count }, () => below(3)),
    labels: ['class-0', 'class-1', 'class-2'],
    hashes: [],
    rejected: 0,
    truncated: 0,
    empty: 0,
    notes: [],
  };
}

interface Held {
  readonly tensors: number;
  readonly tensorBytes: number;
}

/** MiB of the process behind a collection of garbage. */
interface ProcessMemory {
  /** What JavaScript holds, on its heap and outside. */
  readonly live: number;
  readonly resident: number;
}

async function expectFlat(task: TrainingTask): Promise<void> {
  const held: Held[] = [];
  const memory: ProcessMemory[] = [];
  const enough = new AbortController();
  await train(
    task,
    {
      epochs: 1000,
      batchTokens: 128,
      accumulate: 1,
      rate: 1e-3,
      warmUp: 0.1,
      weightDecay: 0.01,
      clip: 1,
      seed: 1,
      patience: 0,
      checkpointSteps: 1_000_000,
    },
    {
      states: { restore: () => Promise.resolve(undefined), save: () => Promise.resolve() },
      signal: enough.signal,
      onEvent: ({ kind }) => {
        if (kind !== 'step') return;
        const { numTensors, numBytes } = tf.memory();
        held.push({ tensors: numTensors, tensorBytes: numBytes });
        if (held.length % SAMPLE === 0) memory.push(processMemory());
        if (held.length === STEPS) enough.abort();
      },
    },
  );
  expect(new Set(held.map(({ tensors }) => tensors)).size).toBe(1);
  expect(new Set(held.map(({ tensorBytes }) => tensorBytes)).size).toBe(1);
  const warm = memory.slice(0, WARM / SAMPLE);
  const later = memory.slice(-4);
  expect(later.at(-1)!.live - warm.at(-1)!.live).toBeLessThan(2);
  // The heap gives pages back and takes them again, some twenty MiB either way: what leaks never comes back.
  const residents = (samples: ProcessMemory[]) => samples.map(({ resident }) => resident);
  expect(Math.min(...residents(later)) - Math.max(...residents(warm))).toBeLessThan(10);
}

function processMemory(): ProcessMemory {
  // What the first finds is let go of behind it, and with it the memory outside the heap.
  collectGarbage();
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { live: (heapUsed + external) / MiB, resident: rss / MiB };
}

/** The last exit alone, and all of them, in turn. */
const options = { joint: 'alternate', dropout: 0.1, classWeights: null } as const;

it('stage 0 holds no more after a thousand steps', async () => {
  await expectFlat(fineTuneTask(model, randomRows(600), randomRows(20), options));
});

it('stage 1 holds no more after a thousand steps', async () => {
  const rows = randomRows(600);
  const encoder = await HiddenStates.open(checkpoint, [0, 1], 1);
  const states = new StateCache(rows.tokens, encoder, 2, 32);
  await states.keepIn(join(folder, 'states'), () => undefined);
  const loss = { direction: 'teacher-student', temperature: 1, hardLabels: 0 } as const;
  await expectFlat(distilTask(model, { rows, states }, { rows, states }, loss));
  await states.close();
  await encoder.release();
});
