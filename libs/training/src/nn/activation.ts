import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '#model/checkpoint/checkpoint-config.js';
import { withGradient } from './with-gradient.js';

/** The function between the linear maps of a layer, or of an exit, number by number. */
export function activate(x: Tensor, activation: Activation | 'tanh'): Tensor {
  switch (activation) {
    case 'gelu':
      return gelu(x);
    case 'gelu_new':
      return geluNew(x);
    case 'relu':
      return tf.relu(x);
    case 'silu':
      return tf.mul(x, tf.sigmoid(x));
    case 'tanh':
      return tf.tanh(x);
  }
}

/** x·Φ(x) with the exact normal distribution; feed-forward.ts has a faster form of it, between two linear maps. */
function gelu(x: Tensor): Tensor {
  return withGradient(
    [x],
    () => {
      const distribution = tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
      return { value: tf.mul(x, distribution), saved: [x, distribution] };
    },
    (dy, [x, distribution]) => {
      const density = tf.mul(tf.exp(tf.mul(tf.square(x!), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return [tf.mul(dy, tf.add(tf.mul(x!, density), distribution!))];
    },
  );
}

/** The tanh form: x ÷ 2 · (1 + tanh(√(2 ÷ π) (x + 0.044715 x³))). */
function geluNew(x: Tensor): Tensor {
  const cube = tf.mul(tf.square(x), x);
  const inner = tf.mul(tf.add(x, tf.mul(cube, 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}
