import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from './with-gradient.js';

/**
 * Product of the last two axes, either of them transposed first. It has no gradient.
 *
 * The wasm backend multiplies plain matrices some twenty times as fast as transposed ones, so there the transpose is
 * made; the others read a matrix either way at the same speed.
 */
export function product(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  if (tf.getBackend() !== 'wasm') return tf.matMul(a, b, transposeA, transposeB);
  return tf.matMul(transposeA ? transposed(a) : a, transposeB ? transposed(b) : b);
}

/** Swaps the last two axes. */
function transposed(x: Tensor): Tensor {
  const axes = [...x.shape.keys()];
  return tf.transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}

/** Sums the rows of `[n,width]`: as a product with ones, which reads them at the speed of memory on every backend. */
export function rowSum(x: Tensor): Tensor {
  const [rows = 0, width = 0] = x.shape;
  return tf.reshape(product(tf.ones([1, rows]), x), [width]);
}

/** a·b over the last two axes: `[…,m,k]` and `[…,k,n]` to `[…,m,n]`. */
export function matMul(a: Tensor, b: Tensor): Tensor {
  return withGradient(
    [a, b],
    () => ({ value: product(a, b), saved: [a, b] }),
    (dy, [a, b]) => [product(dy, b!, false, true), product(a!, dy, true)],
  );
}

/** a·bᵀ over the last two axes: `[…,m,k]` and `[…,n,k]` to `[…,m,n]`. */
export function matMulTransposed(a: Tensor, b: Tensor): Tensor {
  return withGradient(
    [a, b],
    () => ({ value: product(a, b, false, true), saved: [a, b] }),
    (dy, [a, b]) => [product(dy, b!), product(dy, a!, true)],
  );
}

/** x·weightᵀ + bias: `[n,in]`, `[out,in]` and `[out]` to `[n,out]`. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  return withGradient(
    [x, weight, bias],
    () => ({ value: tf.add(product(x, weight, false, true), bias), saved: [x, weight] }),
    (dy, [x, weight]) => [product(dy, weight!), product(dy, x!, true), rowSum(dy)],
  );
}

/** The same where nobody asks for the gradient of x, such as of hidden states that are given. */
export function linearOfConstant(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  return withGradient(
    [weight, bias],
    () => ({ value: tf.add(product(x, weight, false, true), bias), saved: [] }),
    (dy) => [product(dy, x, true), rowSum(dy)],
  );
}
