import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { TokenBatch } from '../data/token-batch.js';
import { attentionMask } from '../nn/attention-probabilities.js';
import type { Dropout } from '../nn/dropout.js';
import { embeddingGradients, embedTokens } from './embed-tokens.js';
import type { BatchShape } from './encoder.js';
import { encode } from './encoder.js';
import type { Gradients, RowGradient } from '../optimiser/gradient.js';
import type { TrainableModel } from './trainable-model.js';

/** A loss, and its gradient by each trained tensor. */
export interface LossGradients {
  readonly loss: number;
  readonly gradients: Gradients;
}

/**
 * One pass forward and backward through the encoder.
 *
 * @param trained names of tensors; the loss must depend on each of them that is no embedding table
 * @param lossOf from the hidden states after the embeddings and each layer
 */
export function lossAndGradients(
  model: TrainableModel,
  trained: readonly string[],
  batch: TokenBatch,
  drop: Dropout,
  lossOf: (states: readonly Tensor[], shape: BatchShape) => Tensor,
): LossGradients {
  const { geometry } = model.config;
  const { weights } = model;
  const inBackend = trained.filter((name) => !model.isTable(name));
  const tables = trained.filter((name) => model.isTable(name));
  const gradients = new Map<string, Float32Array | RowGradient>();
  const loss = tf.tidy(() => {
    const summed = tf.tensor(embedTokens(model.values, batch, geometry), [
      batch.ids.length,
      geometry.embeddingSize,
    ]);
    const shape = shapeOf(batch);
    const { value, grads } = tf.valueAndGrads(() =>
      lossOf(encode(weights, geometry, summed, shape, drop), shape),
    )([summed, ...inBackend.map((name) => weights.get(name)!)]);
    const [dSum, ...others] = grads;
    const rows = embeddingGradients(model.values, batch, geometry, numbersOf(dSum!), tables);
    for (const [name, gradient] of rows) gradients.set(name, gradient);
    for (const [index, name] of inBackend.entries()) gradients.set(name, numbersOf(others[index]!));
    return value.dataSync()[0]!;
  });
  return { loss, gradients };
}

/** A tensor's numbers, in memory of their own. */
export function numbersOf(tensor: Tensor): Float32Array {
  const numbers = tensor.dataSync();
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
}

/** Where a batch's tokens are. */
export function shapeOf({ lengths, longest }: TokenBatch): BatchShape {
  return { rows: lengths.length, longest, mask: attentionMask(lengths, longest) };
}
