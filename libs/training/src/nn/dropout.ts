import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../data/random.js';
import { withGradient } from './with-gradient.js';

/** Draws what numbers of a shape are multiplied by: 0 for a share of them, a factor for the others; null: by nothing. */
export type Dropout = (shape: readonly number[]) => Tensor | null;

/** For evaluation, and for training without. */
export const noDropout: Dropout = () => null;

/** Decisions of one draw of 32 random bits. */
const DRAWN_AT_ONCE = 4;
const STEPS = 256;

/** @param rate share that is set to 0, to the nearest of 256 */
export function dropout(rate: number, random: Random): Dropout {
  const dropped = Math.round(rate * STEPS);
  if (dropped === 0) return noDropout;
  const factor = STEPS / (STEPS - dropped);
  return (shape) => {
    const size = shape.reduce((product, dim) => product * dim, 1);
    return tf.tensor(keepMask(size, dropped, factor, random), [...shape]);
  };
}

/** Sets some of the numbers to 0 and scales the others up. */
export function drop(x: Tensor, dropout: Dropout): Tensor {
  const mask = dropout(x.shape);
  if (mask === null) return x;
  return withGradient(
    [x],
    () => ({ value: tf.mul(x, mask), saved: [mask] }),
    (dy, [mask]) => [tf.mul(dy, mask!)],
  );
}

/** `[size]`: 0, or the factor. A step draws twenty million, so a table takes the place of comparisons. */
function keepMask(size: number, dropped: number, factor: number, random: Random): Float32Array {
  const outcomes = new Float32Array(STEPS).fill(factor, dropped);
  const mask = new Float32Array(size);
  const whole = size - (size % DRAWN_AT_ONCE);
  for (let at = 0; at < whole; at += DRAWN_AT_ONCE) {
    const bits = random.bits();
    mask[at] = outcomes[bits & 255]!;
    mask[at + 1] = outcomes[(bits >>> 8) & 255]!;
    mask[at + 2] = outcomes[(bits >>> 16) & 255]!;
    mask[at + 3] = outcomes[bits >>> 24]!;
  }
  let bits = random.bits();
  for (let at = whole; at < size; at++) {
    mask[at] = outcomes[bits & 255]!;
    bits >>>= 8;
  }
  return mask;
}
