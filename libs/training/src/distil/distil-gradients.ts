import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Exit } from '#model/checkpoint/exit.js';
import { crossEntropy } from '../loss/cross-entropy.js';
import type { DivergenceDirection } from '../loss/divergence-direction.js';
import { divergence } from '../loss/divergence.js';
import type { BatchShape } from '../model/encoder.js';
import { exitLogits } from '../model/exit-logits.js';
import type { LossGradients } from '../model/loss-gradients.js';
import { numbersOf } from '../model/loss-gradients.js';
import type { TrainableModel } from '../model/trainable-model.js';
import { exitNames } from '../model/trained-names.js';

export interface DistilLoss {
  readonly direction: DivergenceDirection;
  readonly temperature: number;
  /** Share of the cross-entropy with the rows' own labels; 0 needs none. */
  readonly hardLabels: number;
}

export interface DistilBatch {
  readonly shape: BatchShape;
  /** After each layer that has a student, `[B·S,H]`. */
  readonly states: ReadonlyMap<number, Tensor>;
  /** `[B,C]`. */
  readonly teacherLogits: Tensor;
  /** `[B]`, where hard labels have a share. */
  readonly golds?: Int32Array | undefined;
}

/** The loss summed over the students; also that of each, in their order. */
export interface DistilGradients extends LossGradients {
  readonly losses: Float32Array;
}

/** One pass forward and backward through the students: backbone and teacher are given, and stay as they are. */
export function distilGradients(
  model: TrainableModel,
  students: readonly Exit[],
  batch: DistilBatch,
  loss: DistilLoss,
): DistilGradients {
  const gradients = new Map<string, Float32Array>();
  // No student's loss depends on another's weights.
  const losses = students.map((exit) => {
    const names = exitNames(model.config, [exit.layer]);
    return tf.tidy(() => {
      const weights = names.map((name) => model.weights.get(name)!);
      const { value, grads } = tf.valueAndGrads(() => studentLoss(model, exit, batch, loss))(weights);
      for (const [index, name] of names.entries()) {
        gradients.set(name, numbersOf(grads[index]!));
      }
      return value.dataSync()[0]!;
    });
  });
  return { loss: losses.reduce((sum, each) => sum + each, 0), losses: Float32Array.from(losses), gradients };
}

function studentLoss(
  { weights }: TrainableModel,
  exit: Exit,
  { shape, states, teacherLogits, golds }: DistilBatch,
  { direction, temperature, hardLabels }: DistilLoss,
): Tensor {
  const logits = exitLogits(weights, exit, states.get(exit.layer)!, shape, true);
  const soft = divergence(logits, teacherLogits, direction, temperature);
  if (hardLabels === 0 || golds === undefined) return soft;
  return tf.add(tf.mul(soft, 1 - hardLabels), tf.mul(crossEntropy(logits, golds, null), hardLabels));
}
