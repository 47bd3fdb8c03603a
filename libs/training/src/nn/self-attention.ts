import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { LinearWeights } from './feed-forward.js';
import { product, rowSum } from './mat-mul.js';
import { withGradient } from './with-gradient.js';

/** Each `[H,H]` with a bias `[H]`. */
export interface AttentionWeights {
  readonly query: LinearWeights;
  readonly key: LinearWeights;
  readonly value: LinearWeights;
}

export interface AttentionShape {
  readonly rows: number;
  readonly longest: number;
  readonly heads: number;
  /** From `attentionMask`. */
  readonly mask: Tensor | null;
  /** What probabilities are multiplied by, `[B,heads,S,S]`; null: nothing is dropped. */
  readonly dropped: Tensor | null;
}

/**
 * Attention of every token to every token of its row: softmax(q·kᵀ ÷ √d)·v by head, `[B·S,H]` to `[B·S,H]`.
 *
 * One operation for autograd: the three maps are one product of three times the width, forward and backward, and their
 * gradients of x need not be added up. The factor 1 ÷ √d is moved into the query's weights.
 */
export function selfAttention(
  x: Tensor,
  { query, key, value }: AttentionWeights,
  { rows, longest, heads, mask, dropped }: AttentionShape,
): Tensor {
  const width = x.shape[1]!;
  const headSize = width / heads;
  const factor = 1 / Math.sqrt(headSize);
  /** `[B·S,H]` to `[B,heads,S,size]`. */
  const byHead = (part: Tensor): Tensor =>
    tf.transpose(tf.reshape(part, [rows, longest, heads, headSize]), [0, 2, 1, 3]);
  /** And back. */
  const byToken = (part: Tensor): Tensor =>
    tf.reshape(tf.transpose(part, [0, 2, 1, 3]), [rows * longest, width]);
  return withGradient(
    [x, query.weight, query.bias, key.weight, key.bias, value.weight, value.bias],
    () => {
      const weight = tf.concat([tf.mul(query.weight, factor), key.weight, value.weight], 0);
      const bias = tf.concat([tf.mul(query.bias, factor), key.bias, value.bias], 0);
      const all = tf.add(product(x, weight, false, true), bias);
      const [q, k, v] = tf.split(all, 3, 1).map(byHead);
      const scores = product(q!, k!, false, true);
      const probabilities = tf.softmax(mask === null ? scores : tf.add(scores, tf.expandDims(mask, 1)));
      const kept = dropped === null ? probabilities : tf.mul(probabilities, dropped);
      return { value: byToken(product(kept, v!)), saved: [x, weight, q!, k!, v!, probabilities, kept] };
    },
    (dy, [x, weight, q, k, v, probabilities, kept]) => {
      const dMixed = byHead(dy);
      const dKept = product(dMixed, v!, false, true);
      const weighted = tf.mul(dKept, kept!);
      // With p the probabilities and w = dp ⊙ p: ds = w − p ⊙ sum(w).
      const dScores = tf.sub(weighted, tf.mul(probabilities!, tf.sum(weighted, -1, true)));
      const parts = [product(dScores, k!), product(dScores, q!, true), product(kept!, dMixed, true)];
      const dAll = tf.concat(parts.map(byToken), 1);
      const [dQuery, dKey, dValue] = tf.split(product(dAll, x!, true), 3, 0);
      const [dQueryBias, dKeyBias, dValueBias] = tf.split(rowSum(dAll), 3, 0);
      return [
        product(dAll, weight!),
        tf.mul(dQuery!, factor),
        tf.mul(dQueryBias!, factor),
        dKey!,
        dKeyBias!,
        dValue!,
        dValueBias!,
      ];
    },
  );
}
