import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { DivergenceDirection } from './divergence-direction.js';

/**
 * Kullback–Leibler divergence between a student's and the teacher's distributions, the mean over rows, times T², so that
 * gradients keep their size (Hinton et al., 2015).
 *
 * @param logits the student's, `[B,C]`
 * @param teacherLogits `[B,C]`, constant
 * @param temperature T: both logits are divided by it
 */
export function divergence(
  logits: Tensor,
  teacherLogits: Tensor,
  direction: DivergenceDirection,
  temperature: number,
): Tensor {
  const [rows = 1] = logits.shape;
  const student = tf.logSoftmax(tf.div(logits, temperature));
  const teacher = tf.logSoftmax(tf.div(teacherLogits, temperature));
  const terms =
    direction === 'teacher-student'
      ? tf.mul(tf.exp(teacher), tf.sub(teacher, student))
      : tf.mul(tf.exp(student), tf.sub(student, teacher));
  return tf.mul(tf.sum(terms), temperature ** 2 / rows);
}
