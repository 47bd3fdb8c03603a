import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { product, rowSum } from './mat-mul.js';
import { withGradient } from './with-gradient.js';

export interface NormWeights {
  /** `[width]`. */
  readonly weight: Tensor;
  /** `[width]`. */
  readonly bias: Tensor;
}

/**
 * (x − mean) ÷ √(variance + eps) ⊙ weight + bias, over the last axis of `[n,width]`, the variance over n.
 * With y the normalised x and g = dy ⊙ weight: dx = (g − mean(g) − y ⊙ mean(g ⊙ y)) ÷ √(variance + eps).
 */
export function layerNorm(x: Tensor, { weight, bias }: NormWeights, eps: number): Tensor {
  return withGradient(
    [x, weight, bias],
    () => {
      const centred = tf.sub(x, tf.mean(x, 1, true));
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), eps));
      const normal = tf.mul(centred, inverse);
      return { value: tf.add(tf.mul(normal, weight), bias), saved: [normal, inverse, weight] };
    },
    (dy, [normal, inverse, weight]) => {
      const width = x.shape[1]!;
      const dyNormal = tf.mul(dy, normal!);
      // Means of numbers ⊙ weight are products with it: a pass over the numbers less each.
      const share = tf.reshape(tf.div(weight!, width), [width, 1]);
      const alongY = product(dyNormal, share);
      const centred = tf.sub(tf.mul(dy, weight!), product(dy, share));
      const dx = tf.mul(tf.sub(centred, tf.mul(normal!, alongY)), inverse!);
      return [dx, rowSum(dyNormal), rowSum(dy)];
    },
  );
}

/** (x − mean) ÷ (deviation + eps) ⊙ weight + bias, over the last axis, the deviation over n − 1 (UER). */
export function unbiasedLayerNorm(x: Tensor, { weight, bias }: NormWeights, eps: number): Tensor {
  const width = x.shape[1]!;
  const centred = tf.sub(x, tf.div(tf.sum(x, 1, true), width));
  const variance = tf.div(tf.sum(tf.square(centred), 1, true), width - 1);
  return tf.add(tf.mul(tf.div(centred, tf.add(tf.sqrt(variance), eps)), weight), bias);
}
