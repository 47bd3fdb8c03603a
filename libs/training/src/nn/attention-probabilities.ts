import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from './with-gradient.js';

/** What stands for minus infinity: exp of it is 0 in float32. */
const FAR_BELOW = -1e9;

/**
 * Softmax over the last axis of scores + mask. With p the probabilities: ds = p ⊙ (dy − sum(dy ⊙ p)).
 * @param mask from `attentionMask`, or null where every token is one
 */
export function attentionProbabilities(scores: Tensor, mask: Tensor | null): Tensor {
  return withGradient(
    [scores],
    () => {
      const value = tf.softmax(mask === null ? scores : tf.add(scores, mask));
      return { value, saved: [value] };
    },
    (dy, [p]) => {
      const weighted = tf.mul(dy, p!);
      return [tf.sub(weighted, tf.mul(p!, tf.sum(weighted, -1, true)))];
    },
  );
}

/**
 * What is added to scores so that no token attends to padding: `[B,1,S]`, 0 at tokens; null where there is no padding.
 * @param lengths `[B]`, tokens of each row
 */
export function attentionMask(lengths: ArrayLike<number>, longest: number): Tensor | null {
  const rows = lengths.length;
  const mask = new Float32Array(rows * longest);
  let isPadded = false;
  for (let row = 0; row < rows; row++) {
    const length = lengths[row]!;
    if (length === longest) continue;
    isPadded = true;
    mask.fill(FAR_BELOW, row * longest + length, (row + 1) * longest);
  }
  return isPadded ? tf.tensor(mask, [rows, 1, longest]) : null;
}
