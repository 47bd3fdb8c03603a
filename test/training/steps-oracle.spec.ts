/** Gradients of one step, and the losses of a hundred, against PyTorch (fixtures/training/make_fixtures.py). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openWeightsFile } from '#model/checkpoint/open-weights.js';
import { openModel } from '#model/import/open-model.js';
import { chooseBackend } from '#training/backend/choose-backend.js';
import { Random } from '#training/data/random.js';
import type { TokenBatch } from '#training/data/token-batch.js';
import { tokenBatch } from '#training/data/token-batch.js';
import { distilGradients } from '#training/distil/distil-gradients.js';
import { crossEntropy } from '#training/loss/cross-entropy.js';
import type { DivergenceDirection } from '#training/loss/divergence-direction.js';
import { embedTokens } from '#training/model/embed-tokens.js';
import { encode } from '#training/model/encoder.js';
import { exitLogits } from '#training/model/exit-logits.js';
import type { LossGradients } from '#training/model/loss-gradients.js';
import { lossAndGradients, shapeOf } from '#training/model/loss-gradients.js';
import type { TrainableModel } from '#training/model/trainable-model.js';
import { readTrainable } from '#training/model/trainable-model.js';
import { encoderNames, exitNames } from '#training/model/trained-names.js';
import { noDropout } from '#training/nn/dropout.js';
import { AdamW } from '#training/optimiser/adamw.js';
import type { RowGradient } from '#training/optimiser/gradient.js';
import { clippingScale, globalNorm } from '#training/optimiser/gradient.js';
import { learningRate } from '#training/optimiser/learning-rate.js';
import { trainingBackend } from './training-backend.js';

const fixtures = join(import.meta.dirname, '../fixtures/training');

interface FixtureBatch {
  readonly ids: readonly (readonly number[])[];
  readonly segments: readonly (readonly number[])[];
  readonly golds: readonly number[];
}

interface Fixture {
  readonly classWeights: readonly number[];
  readonly steps: number;
  readonly warmUp: number;
  readonly batches: readonly FixtureBatch[];
  readonly losses: Readonly<Record<string, readonly number[]>>;
}

let fixture: Fixture;
let model: TrainableModel;
beforeAll(async () => {
  await chooseBackend(trainingBackend);
  fixture = JSON.parse(await readFile(join(fixtures, 'steps.json'), 'utf8'));
});
beforeEach(async () => {
  const checkpoint = await openModel(fixtures);
  model = await readTrainable(checkpoint, checkpoint.config, new Random(1));
  await checkpoint.close();
});
afterEach(() => {
  model.dispose();
  expect(tf.memory().numTensors).toBe(0);
});

function batchOf({ ids, segments }: FixtureBatch): TokenBatch {
  const starts = [0];
  for (const row of ids) starts.push(starts.at(-1)! + row.length);
  const rows = { ids: Int32Array.from(ids.flat()), segments: Int32Array.from(segments.flat()) };
  return tokenBatch({ ...rows, starts: Int32Array.from(starts) }, Int32Array.from(ids.keys()));
}

function wholeGradient(gradient: Float32Array | RowGradient, length: number): Float32Array {
  if (gradient instanceof Float32Array) return gradient;
  const whole = new Float32Array(length);
  const width = gradient.values.length / gradient.rows.length;
  for (const [index, row] of gradient.rows.entries()) {
    whole.set(gradient.values.subarray(index * width, (index + 1) * width), row * width);
  }
  return whole;
}

type Step = (batch: FixtureBatch) => LossGradients;

const fineTuning: Step = (batch) =>
  lossAndGradients(
    model,
    [...encoderNames(model.config), ...exitNames(model.config, [2])],
    batchOf(batch),
    noDropout,
    (states, shape) => {
      const logits = exitLogits(model.weights, model.config.exits[2]!, states[2]!, shape);
      return crossEntropy(logits, Int32Array.from(batch.golds), fixture.classWeights);
    },
  );

const distilling =
  (direction: DivergenceDirection, temperature: number): Step =>
  (batch) => {
    let found: LossGradients | undefined;
    tf.tidy(() => {
      const { geometry, exits } = model.config;
      const tokens = batchOf(batch);
      const summed = tf.tensor(embedTokens(model.values, tokens, geometry), [
        tokens.ids.length,
        geometry.embeddingSize,
      ]);
      const shape = shapeOf(tokens);
      const states = encode(model.weights, geometry, summed, shape, noDropout);
      const teacherLogits = exitLogits(model.weights, exits[2]!, states[2]!, shape);
      found = distilGradients(
        model,
        exits.slice(0, 2),
        { shape, states: new Map(states.entries()), teacherLogits },
        { direction, temperature, hardLabels: 0 },
      );
    });
    return found!;
  };

describe.each([
  ['stage-0', fineTuning, 3e-3],
  ['teacher-student', distilling('teacher-student', 1), 1e-2],
  ['student-teacher', distilling('student-teacher', 2), 1e-2],
] as const)('%s', (name, step, peak) => {
  it('has the gradients that PyTorch has', async () => {
    const expected = await openWeightsFile(join(fixtures, 'gradients.safetensors'));
    const { gradients } = step(fixture.batches[0]!);
    const names = expected.names().filter((each) => each.startsWith(`${name}/`));
    expect(names.length).toBeGreaterThan(20);
    for (const each of names) {
      const wanted = await expected.read(each);
      const gradient = gradients.get(each.slice(name.length + 1));
      const largest = Math.max(...wanted.map(Math.abs));
      // The bias of a key has no gradient but PyTorch's rounding.
      if (each.endsWith('key.bias')) {
        expect(largest).toBeLessThan(1e-6);
        continue;
      }
      const found = wholeGradient(gradient!, wanted.length);
      const worst = Math.max(...wanted.map((value, index) => Math.abs(value - found[index]!)));
      expect(worst / largest, each).toBeLessThan(1e-4);
    }
    await expected.close();
  });

  it('has its losses for a hundred steps', () => {
    const { steps, warmUp, batches, losses } = fixture;
    let optimiser: AdamW | undefined;
    for (let index = 0; index < steps; index++) {
      const { loss, gradients } = step(batches[index % batches.length]!);
      const expected = losses[name]![index]!;
      expect(Math.abs(loss - expected) / expected, `step ${index}`).toBeLessThan(0.01);
      optimiser ??= new AdamW(model.values, [...gradients.keys()]);
      const scale = clippingScale(globalNorm(gradients), 1);
      optimiser.step(gradients, learningRate(peak, index, steps, warmUp), scale);
      model.changed(gradients.keys());
    }
  });
});
