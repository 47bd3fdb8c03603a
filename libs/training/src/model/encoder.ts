import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Geometry } from '#model/checkpoint/checkpoint-config.js';
import type { Dropout } from '../nn/dropout.js';
import { drop } from '../nn/dropout.js';
import type { LinearWeights } from '../nn/feed-forward.js';
import { feedForward } from '../nn/feed-forward.js';
import { layerNorm, unbiasedLayerNorm } from '../nn/layer-norm.js';
import { linear } from '../nn/mat-mul.js';
import { selfAttention } from '../nn/self-attention.js';

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
  dropout: Dropout,
): Tensor[] {
  const { layers, embeddingSize, hiddenSize } = geometry;
  let hidden = drop(norm(weights, geometry, 'bert.embeddings.LayerNorm', summed), dropout);
  if (embeddingSize !== hiddenSize) hidden = project(weights, 'bert.embeddings_project', hidden);
  const states = [hidden];
  for (let index = 0; index < layers; index++) {
    hidden = layer(weights, geometry, `bert.encoder.layer.${index}`, hidden, shape, dropout);
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
  dropout: Dropout,
): Tensor {
  const context = attend(weights, geometry, `${prefix}.attention.self`, hidden, shape, dropout);
  const output = drop(project(weights, `${prefix}.attention.output.dense`, context), dropout);
  const attended = norm(weights, geometry, `${prefix}.attention.output.LayerNorm`, tf.add(output, hidden));
  const [widen, narrow] = ['intermediate', 'output'].map((name) =>
    linearOf(weights, `${prefix}.${name}.dense`),
  );
  const fed = drop(feedForward(attended, widen!, narrow!, geometry.activation), dropout);
  return norm(weights, geometry, `${prefix}.output.LayerNorm`, tf.add(fed, attended));
}

/** `[B·S,H]` to `[B·S,H]`. */
function attend(
  weights: Weights,
  { heads }: Geometry,
  prefix: string,
  hidden: Tensor,
  { rows, longest, mask }: BatchShape,
  dropout: Dropout,
): Tensor {
  const [query, key, value] = ['query', 'key', 'value'].map((name) => linearOf(weights, `${prefix}.${name}`));
  const dropped = dropout([rows, heads, longest, longest]);
  return selfAttention(
    hidden,
    { query: query!, key: key!, value: value! },
    { rows, longest, heads, mask, dropped },
  );
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
