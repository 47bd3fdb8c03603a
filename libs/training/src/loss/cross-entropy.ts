import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Mean of −ln p of the rows' own labels, weighted by their classes: Σ w_y (−ln p_y) ÷ Σ w_y, as PyTorch's
 * `cross_entropy` has it.
 *
 * @param logits `[B,C]`
 * @param golds `[B]`, the index of each row's label
 * @param classWeights `[C]`; null: all 1
 */
export function crossEntropy(
  logits: Tensor,
  golds: Int32Array,
  classWeights: readonly number[] | null,
): Tensor {
  const classes = logits.shape[1]!;
  const weights = new Float32Array(golds.length * classes);
  let total = 0;
  for (const [row, gold] of golds.entries()) {
    const weight = classWeights?.[gold] ?? 1;
    weights[row * classes + gold] = weight;
    total += weight;
  }
  const weighted = tf.mul(tf.logSoftmax(logits), tf.tensor(weights, [golds.length, classes]));
  return tf.mul(tf.sum(weighted), -1 / total);
}
