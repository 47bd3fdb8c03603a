import * as tf from '@tensorflow/tfjs-core';
import { lengthBatches } from '../data/length-batches.js';
import type { TrainingRows } from '../data/read-rows.js';
import { tokenBatch } from '../data/token-batch.js';
import type { ExitFigure } from '../loop/training-task.js';
import { noDropout } from '../nn/dropout.js';
import { embedTokens } from './embed-tokens.js';
import { encode } from './encoder.js';
import { exitLogits } from './exit-logits.js';
import { shapeOf } from './loss-gradients.js';
import type { TrainableModel } from './trainable-model.js';

const BATCH_TOKENS = 4096;

/** The share of rows whose own label each exit gives, by the whole model. */
export function accuracies(model: TrainableModel, rows: TrainingRows): ExitFigure[] {
  const { geometry, exits } = model.config;
  const right = new Float64Array(exits.length);
  for (const batchRows of lengthBatches(rows.lengths, BATCH_TOKENS, [0])) {
    const batch = tokenBatch(rows.tokens, batchRows);
    tf.tidy(() => {
      const shape = shapeOf(batch);
      const summed = tf.tensor(embedTokens(model.values, batch, geometry), [
        batch.ids.length,
        geometry.embeddingSize,
      ]);
      const states = encode(model.weights, geometry, summed, shape, noDropout);
      for (const [index, exit] of exits.entries()) {
        const logits = exitLogits(model.weights, exit, states[exit.layer]!, shape).dataSync();
        for (const [place, row] of batchRows.entries()) {
          if (greatest(logits, place, model.config.labels.length) === rows.golds![row]) right[index]! += 1;
        }
      }
    });
  }
  return exits.map(({ layer }, index) => ({ layer, share: right[index]! / rows.lengths.length }));
}

/** Index of a row's greatest number, the first on a tie. @param numbers `[rows,width]` */
export function greatest(numbers: ArrayLike<number>, row: number, width: number): number {
  let best = 0;
  for (let index = 1; index < width; index++) {
    if (numbers[row * width + index]! > numbers[row * width + best]!) best = index;
  }
  return best;
}
