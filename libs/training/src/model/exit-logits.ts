import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Exit } from '#model/checkpoint/exit.js';
import { activate } from '../nn/activation.js';
import { attentionProbabilities } from '../nn/attention-probabilities.js';
import { linear, linearOfConstant, matMul, matMulTransposed } from '../nn/mat-mul.js';
import type { BatchShape, Weights } from './encoder.js';
import { weightOf } from './encoder.js';

/**
 * An exit's logits: `[B·S,H]` to `[B,C]`.
 *
 * Only [CLS] asks, so keys and values are never computed for each token: with q a head's query, the score of token t is
 * (Wkᵀq)·z_t ÷ √d and a term that is equal for all t, which softmax cancels (the key's bias has no effect, and no
 * gradient); the head's answer is Wv(Σ α_t z_t) + bv. The compiler folds the same way.
 *
 * @param hidden states after the exit's layer
 * @param isConstant nobody asks for the gradient of the hidden states
 */
export function exitLogits(
  weights: Weights,
  exit: Exit,
  hidden: Tensor,
  shape: BatchShape,
  isConstant = false,
): Tensor {
  const part = (name: string, x: Tensor, lin = linear): Tensor => {
    const prefix = `exits.${exit.layer}.${name}`;
    return lin(x, weightOf(weights, `${prefix}.weight`), weightOf(weights, `${prefix}.bias`));
  };
  const ofHidden = isConstant ? linearOfConstant : linear;
  if (exit.kind === 'pooler') {
    const pooled = part('pooler', firstTokens(hidden, shape), ofHidden);
    return part('logits', activate(pooled, exit.activation));
  }
  const { rows, longest } = shape;
  const { size, heads, kind } = exit;
  const narrow = part('narrow', hidden, ofHidden);
  const z = kind === 'fastbert' ? tf.tanh(narrow) : narrow;
  const query = part('query', firstTokens(z, shape));
  const headSize = size / heads;
  /** A weight by head: `[size,size]` to `[heads,headSize,size]`. */
  const byHead = (name: string): Tensor =>
    tf.reshape(weightOf(weights, `exits.${exit.layer}.${name}.weight`), [heads, headSize, size]);
  const asked = tf.transpose(tf.reshape(query, [rows, heads, headSize]), [1, 0, 2]);
  const folded = tf.transpose(matMul(asked, byHead('key')), [1, 0, 2]);
  const tokens = tf.reshape(z, [rows, longest, size]);
  const scores = tf.mul(matMulTransposed(folded, tokens), 1 / Math.sqrt(headSize));
  const mixed = matMul(attentionProbabilities(scores, shape.mask), tokens);
  const byHeads = matMulTransposed(tf.transpose(mixed, [1, 0, 2]), byHead('value'));
  const attended = tf.add(
    tf.reshape(tf.transpose(byHeads, [1, 0, 2]), [rows, size]),
    weightOf(weights, `exits.${exit.layer}.value.bias`),
  );
  return kind === 'fastbert'
    ? part('logits', tf.tanh(part('hidden', part('output', attended))))
    : part('logits', part('hidden', attended));
}

/** `[B·S,H]` to `[B,H]`. */
function firstTokens(x: Tensor, { rows, longest }: BatchShape): Tensor {
  const width = x.shape[1]!;
  if (longest === 1) return x;
  return tf.reshape(tf.slice(tf.reshape(x, [rows, longest, width]), [0, 0, 0], [rows, 1, width]), [
    rows,
    width,
  ]);
}
