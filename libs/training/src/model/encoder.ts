import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Geometry } from '#model/checkpoint/checkpoint-config.js';
import { attentionProbabilities } from '../nn/attention-probabilities.js';
import type { Dropout } from '../nn/dropout.js';
import type { LinearWeights } from '../nn/feed-forward.js';
import { feedForward } from '../nn/feed-forward.js';
import { layerNorm, unbiasedLayerNorm } from '../nn/layer-norm.js';
import { linear, matMul, matMulTransposed } from '../nn/mat-mul.js';

/** A model's tensors by their names in the checkpoint layout. */
export type Weights = ReadonlyMap<string, Tensor>;

/** Where a batch's tokens are: `B` rows of `S` tokens each. */
export interface BatchShape {
  readonly rows: number;
  readonly longest: number;
  /** From `attentionMask`. */
  readonly mask: Tensor | null;
}

/** @throws Error where there is no such weight: the configuration and the weights are of two models */
export function weightOf(weights: Weights, name: string): Tensor {
  const weight = weights.get(name);
  if (weight === undefined) throw new Error(`The model has no weight ${name}.`);
  return weight;
}

/**
 * BERT's encoder, as in Devlin et al. (2018): embeddings that are summed already, and layers behind them.
 *
 * @param summed word, position and segment embeddings, `[B·S,E]`
 * @returns hidden states after the embeddings and after each layer, `[L+1]` of `[B·S,H]`
 */
export function encode(
  weights: Weights,
  geometry: Geometry,
  summed: Tensor,
  shape: BatchShape,
  drop: Dropout,
): Tensor[] {
  const { layers, embeddingSize, hiddenSize } = geometry;
  let hidden = drop(norm(weights, geometry, 'bert.embeddings.LayerNorm', summed));
  if (embeddingSize !== hiddenSize) hidden = project(weights, 'bert.embeddings_project', hidden);
  const states = [hidden];
  for (let index = 0; index < layers; index++) {
    hidden = layer(weights, geometry, `bert.encoder.layer.${index}`, hidden, shape, drop);
    states.push(hidden);
  }
  return states;
}

function layer(
  weights: Weights,
  geometry: Geometry,
  prefix: string,
  hidden: Tensor,
  shape: BatchShape,
  drop: Dropout,
): Tensor {
  const context = attend(weights, geometry, `${prefix}.attention.self`, hidden, shape, drop);
  const output = drop(project(weights, `${prefix}.attention.output.dense`, context));
  const attended = norm(weights, geometry, `${prefix}.attention.output.LayerNorm`, tf.add(output, hidden));
  const [widen, narrow] = ['intermediate', 'output'].map((name) =>
    linearOf(weights, `${prefix}.${name}.dense`),
  );
  const fed = drop(feedForward(attended, widen!, narrow!, geometry.activation));
  return norm(weights, geometry, `${prefix}.output.LayerNorm`, tf.add(fed, attended));
}

/** Attention of every token to every token of its row: `[B·S,H]` to `[B·S,H]`. */
function attend(
  weights: Weights,
  { heads, hiddenSize }: Geometry,
  prefix: string,
  hidden: Tensor,
  { rows, longest, mask }: BatchShape,
  drop: Dropout,
): Tensor {
  const size = hiddenSize / heads;
  /** `[B·S,H]` to `[B,heads,S,size]`. */
  const byHead = (x: Tensor): Tensor =>
    tf.transpose(tf.reshape(x, [rows, longest, heads, size]), [0, 2, 1, 3]);
  const query = byHead(tf.mul(project(weights, `${prefix}.query`, hidden), 1 / Math.sqrt(size)));
  const key = byHead(project(weights, `${prefix}.key`, hidden));
  const value = byHead(project(weights, `${prefix}.value`, hidden));
  const headMask = mask === null ? null : tf.expandDims(mask, 1);
  const probabilities = drop(attentionProbabilities(matMulTransposed(query, key), headMask));
  const context = tf.transpose(matMul(probabilities, value), [0, 2, 1, 3]);
  return tf.reshape(context, [rows * longest, hiddenSize]);
}

function project(weights: Weights, name: string, x: Tensor): Tensor {
  const { weight, bias } = linearOf(weights, name);
  return linear(x, weight, bias);
}

function linearOf(weights: Weights, name: string): LinearWeights {
  return { weight: weightOf(weights, `${name}.weight`), bias: weightOf(weights, `${name}.bias`) };
}

function norm(weights: Weights, { layerNormForm, layerNormEps }: Geometry, name: string, x: Tensor): Tensor {
  const parts = linearOf(weights, name);
  return layerNormForm === 'standard'
    ? layerNorm(x, parts, layerNormEps)
    : unbiasedLayerNorm(x, parts, layerNormEps);
}
