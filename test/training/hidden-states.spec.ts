/** What ONNX Runtime gives for the hidden states is what TensorFlow.js gives: students learn from the one, and answer by the other. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { HiddenStates } from '#model/compile/hidden-states.js';
import { openModel } from '#model/import/open-model.js';
import { chooseBackend } from '#training/backend/choose-backend.js';
import { Random } from '#training/data/random.js';
import { tokenBatch } from '#training/data/token-batch.js';
import { embedTokens } from '#training/model/embed-tokens.js';
import { encode } from '#training/model/encoder.js';
import { shapeOf } from '#training/model/loss-gradients.js';
import { readTrainable } from '#training/model/trainable-model.js';
import { noDropout } from '#training/nn/dropout.js';
import { trainingBackend } from './training-backend.js';

beforeAll(() => chooseBackend(trainingBackend));

it('are the same after every layer', async () => {
  const checkpoint = await openModel(join(import.meta.dirname, '../fixtures/training'));
  const model = await readTrainable(checkpoint, checkpoint.config, new Random(1));
  const layers = [0, 1, 2];
  const graph = await HiddenStates.open(checkpoint, layers, 1);
  await checkpoint.close();
  const ids = Int32Array.of(1, 5, 9, 30, 2, 1, 8, 8, 21, 2);
  const segments = Int32Array.of(0, 0, 0, 1, 1, 0, 0, 1, 1, 1);
  const batch = tokenBatch({ ids, segments, starts: Int32Array.of(0, 5, 10) }, Int32Array.of(0, 1));
  const expected = tf.tidy(() => {
    const summed = tf.tensor(embedTokens(model.values, batch, model.config.geometry), [10, 16]);
    return encode(model.weights, model.config.geometry, summed, shapeOf(batch), noDropout).map((state) =>
      Array.from(state.dataSync()),
    );
  });
  const found = await graph.of(ids, segments, 2);
  await graph.release();
  model.dispose();
  for (const layer of layers) {
    const worst = Math.max(
      ...expected[layer]!.map((value, index) => Math.abs(value - found[layer]![index]!)),
    );
    expect(worst, `layer ${layer}`).toBeLessThan(1e-5);
  }
});
