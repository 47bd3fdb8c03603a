/** The encoder and every exit, on the shared checkpoints, against what PyTorch gave. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openModel } from '#model/import/open-model.js';
import { chooseBackend } from '#training/backend/choose-backend.js';
import { Random } from '#training/data/random.js';
import { tokenBatch } from '#training/data/token-batch.js';
import { embedTokens } from '#training/model/embed-tokens.js';
import { encode } from '#training/model/encoder.js';
import { exitLogits } from '#training/model/exit-logits.js';
import { shapeOf } from '#training/model/loss-gradients.js';
import type { TrainableModel } from '#training/model/trainable-model.js';
import { readTrainable } from '#training/model/trainable-model.js';
import { noDropout } from '#training/nn/dropout.js';
import { sharedFolder } from '../shared-folder.js';
import { trainingBackend } from './training-backend.js';

interface ExpectedText {
  readonly ids: readonly number[];
  readonly exits: readonly { readonly layer: number; readonly probs: readonly number[] }[];
}

/** Of a file's rounding to six digits, and of float32. */
const TOLERANCE = 2e-4;
const ROWS = 12;

beforeAll(() => chooseBackend(trainingBackend));

describe.skipIf(sharedFolder === undefined).each(['agnews', 'spam'])('%s', (name) => {
  let model: TrainableModel;
  let texts: ExpectedText[];
  beforeAll(async () => {
    const folder = join(sharedFolder!, 'models', `${name}-fastbert`);
    const checkpoint = await openModel(folder);
    model = await readTrainable(checkpoint, checkpoint.config, new Random(1));
    await checkpoint.close();
    const lines = (await readFile(join(folder, 'expected.jsonl'), 'utf8')).trimEnd().split('\n');
    texts = lines.slice(0, ROWS).map((line): ExpectedText => JSON.parse(line));
  });

  it.each([
    ['one by one', 1],
    ['in batches with padding', 6],
  ])('%s', (_, together) => {
    const { geometry, exits } = model.config;
    const some = together === 1 ? texts.slice(0, 3) : texts;
    for (let from = 0; from < some.length; from += together) {
      const group = some.slice(from, from + together);
      const starts = [0];
      for (const { ids } of group) starts.push(starts.at(-1)! + ids.length);
      const rows = Int32Array.from(group.keys());
      const ids = Int32Array.from(group.flatMap((text) => text.ids));
      const batch = tokenBatch({ ids, segments: undefined, starts: Int32Array.from(starts) }, rows);
      const found = tf.tidy(() => {
        const shape = shapeOf(batch);
        const summed = tf.tensor(embedTokens(model.values, batch, geometry), [
          batch.ids.length,
          geometry.embeddingSize,
        ]);
        const states = encode(model.weights, geometry, summed, shape, noDropout);
        return exits.map((exit) =>
          tf.softmax(exitLogits(model.weights, exit, states[exit.layer]!, shape)).dataSync(),
        );
      });
      for (const [index, exit] of exits.entries()) {
        for (const [row, text] of group.entries()) {
          const expected = text.exits.find(({ layer }) => layer === exit.layer)!.probs;
          const given = found[index]!.subarray(row * expected.length);
          const worst = Math.max(...expected.map((value, each) => Math.abs(value - given[each]!)));
          expect(worst, `exit ${exit.layer}, text ${from + row}`).toBeLessThan(TOLERANCE);
        }
      }
    }
  });
});
