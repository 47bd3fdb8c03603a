import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../data/random.js';
import { withGradient } from './with-gradient.js';

/** Sets a share of the numbers to 0 and scales the others up. */
export type Dropout = (x: Tensor) => Tensor;

/** For evaluation, and for training without. */
export const noDropout: Dropout = (x) => x;

/** Decisions of one draw of 32 random bits. */
const DRAWN_AT_ONCE = 4;
const STEPS = 256;

/** @param rate share that is set to 0, to the nearest of 256 */
export function dropout(rate: number, random: Random): Dropout {
  const dropped = Math.round(rate * STEPS);
  if (dropped === 0) return noDropout;
  const factor = STEPS / (STEPS - dropped);
  return (x) => {
    const mask = tf.tensor(keepMask(x.size, dropped, factor, random), x.shape);
    return withGradient(
      [x],
      () => ({ value: tf.mul(x, mask), saved: [mask] }),
      (dy, [mask]) => [tf.mul(dy, mask!)],
    );
  };
}

/** `[size]`: 0, or the factor. */
function keepMask(size: number, dropped: number, factor: number, random: Random): Float32Array {
  const mask = new Float32Array(size);
  for (let at = 0; at < size; at += DRAWN_AT_ONCE) {
    let bits = random.bits();
    const end = Math.min(size, at + DRAWN_AT_ONCE);
    for (let index = at; index < end; index++) {
      if ((bits & 255) >= dropped) mask[index] = factor;
      bits >>>= 8;
    }
  }
  return mask;
}
