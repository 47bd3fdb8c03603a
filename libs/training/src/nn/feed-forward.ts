import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '#model/checkpoint/checkpoint-config.js';
import { activate } from './activation.js';
import { linear, product, rowSum } from './mat-mul.js';
import { withGradient } from './with-gradient.js';

/** y = x·weightᵀ + bias. */
export interface LinearWeights {
  /** `[out,in]`. */
  readonly weight: Tensor;
  /** `[out]`. */
  readonly bias: Tensor;
}

/** The two linear maps of a layer's feed-forward part and the activation between them: `[n,H]` to `[n,H]`. */
export function feedForward(
  x: Tensor,
  widen: LinearWeights,
  narrow: LinearWeights,
  activation: Activation,
): Tensor {
  if (activation === 'gelu') return geluFeedForward(x, widen, narrow);
  const wide = activate(linear(x, widen.weight, widen.bias), activation);
  return linear(wide, narrow.weight, narrow.bias);
}

/**
 * The same with the exact gelu. Passes over the wide numbers cost a sixth of a step, so its factors are moved into the
 * weights: with u = wide ÷ √2, gelu(wide) = √½ · u (1 + erf u), and the derivative of u (1 + erf u) is
 * 1 + erf u + u · exp(ln(2 ÷ √π) − u²).
 */
function geluFeedForward(x: Tensor, widen: LinearWeights, narrow: LinearWeights): Tensor {
  return withGradient(
    [x, widen.weight, widen.bias, narrow.weight, narrow.bias],
    () => {
      const inner = tf.mul(widen.weight, Math.SQRT1_2);
      const outer = tf.mul(narrow.weight, Math.SQRT1_2);
      const u = tf.add(product(x, inner, false, true), tf.mul(widen.bias, Math.SQRT1_2));
      const factor = tf.add(tf.erf(u), 1);
      const activated = tf.mul(u, factor);
      const value = tf.add(product(activated, outer, false, true), narrow.bias);
      return { value, saved: [x, inner, outer, u, factor, activated] };
    },
    (dy, [x, inner, outer, u, factor, activated]) => {
      const dOuter = tf.mul(product(dy, activated!, true), Math.SQRT1_2);
      const slope = tf.exp(tf.sub(Math.log(2 / Math.sqrt(Math.PI)), tf.square(u!)));
      const du = tf.mul(product(dy, outer!), tf.add(tf.mul(u!, slope), factor!));
      const dInner = tf.mul(product(du, x!, true), Math.SQRT1_2);
      return [product(du, inner!), dInner, tf.mul(rowSum(du), Math.SQRT1_2), dOuter, rowSum(dy)];
    },
  );
}
