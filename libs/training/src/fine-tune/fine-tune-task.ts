import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Exit } from '#model/checkpoint/exit.js';
import type { TrainingRows } from '../data/read-rows.js';
import { tokenBatch } from '../data/token-batch.js';
import type { TrainingTask } from '../loop/training-task.js';
import { crossEntropy } from '../loss/cross-entropy.js';
import type { BatchShape, Weights } from '../model/encoder.js';
import { exitLogits } from '../model/exit-logits.js';
import { lossAndGradients } from '../model/loss-gradients.js';
import { accuracies } from '../model/predict.js';
import type { TrainableModel } from '../model/trainable-model.js';
import { encoderNames, exitNames } from '../model/trained-names.js';
import { dropout } from '../nn/dropout.js';
import type { JointMode } from './joint-mode.js';

export interface FineTuneOptions {
  readonly joint: JointMode;
  readonly dropout: number;
  /** Weight of each class in the loss, `[C]`; null: all 1. */
  readonly classWeights: readonly number[] | null;
}

/** Encoder and exits learn the rows' own labels. */
export function fineTuneTask(
  model: TrainableModel,
  rows: TrainingRows,
  dev: TrainingRows | undefined,
  { joint, dropout: rate, classWeights }: FineTuneOptions,
): TrainingTask {
  const { config } = model;
  const { exits } = config;
  const last = exits.at(-1)!;
  const learning = joint === 'last' ? [last] : exits;
  const layers = learning.map(({ layer }) => layer);
  const trained = [...encoderNames(config), ...exitNames(config, layers)];
  return {
    phase: joint === 'last' ? 'train' : 'joint',
    model,
    trained,
    lengths: rows.lengths,
    numbers: rows.numbers,
    gradients: (batchRows, random, step) => {
      const golds = batchRows.map((row) => rows.golds![row]!);
      // Every exit has a part in the loss, or it would have no gradient.
      const weights = exitWeights(learning, joint === 'alternate' && step % 2 === 0);
      return lossAndGradients(
        model,
        trained,
        tokenBatch(rows.tokens, batchRows),
        dropout(rate, random),
        (states, shape) => weightedLoss(model.weights, learning, weights, states, shape, golds, classWeights),
      );
    },
    evaluate: dev && (() => accuracies(model, dev)),
    score: (figures) =>
      joint === 'last'
        ? figures.at(-1)!.share
        : figures.reduce((sum, { share }) => sum + share, 0) / figures.length,
  };
}

/** Of each exit's loss: deeper exits weigh more; of the last alone where the others rest. They sum to 1. */
function exitWeights(exits: readonly Exit[], lastAlone: boolean): number[] {
  const raw = exits.map(({ layer }, index) => {
    if (lastAlone) return index === exits.length - 1 ? 1 : 0;
    return layer + 1;
  });
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  return raw.map((weight) => weight / total);
}

function weightedLoss(
  weights: Weights,
  exits: readonly Exit[],
  shares: readonly number[],
  states: readonly Tensor[],
  shape: BatchShape,
  golds: Int32Array,
  classWeights: readonly number[] | null,
): Tensor {
  const losses = exits.map((exit, index) => {
    const logits = exitLogits(weights, exit, states[exit.layer]!, shape);
    return tf.mul(crossEntropy(logits, golds, classWeights), shares[index]!);
  });
  return losses.reduce((sum, loss) => tf.add(sum, loss));
}

/** Weights by which all classes have the same part in the loss: rows ÷ (classes × rows of the class). */
export function balancedWeights(golds: Int32Array, classes: number): number[] {
  const counts = new Float64Array(classes);
  for (const gold of golds) counts[gold]! += 1;
  return Array.from(counts, (count) => golds.length / (classes * Math.max(1, count)));
}
