import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { chooseBackend } from '../backend/choose-backend.js';
import { Random } from '../data/random.js';
import { numbersOf } from '../model/loss-gradients.js';
import { drop, dropout, noDropout } from './dropout.js';

beforeAll(() => chooseBackend('cpu'));

it.each([0.1, 0.5])(
  'sets a share of %f to 0, scales the rest so that the mean stays, and is the same for a seed',
  (rate) => {
    const x = tf.ones([397, 101]);
    const kept = (seed: number): Float32Array => numbersOf(drop(x, dropout(rate, new Random(seed))));
    const once = kept(3);
    const zeros = once.reduce((count, value) => count + (value === 0 ? 1 : 0), 0);
    expect(zeros / once.length).toBeCloseTo(Math.round(rate * 256) / 256, 2);
    expect(once.reduce((sum, value) => sum + value, 0) / once.length).toBeCloseTo(1, 2);
    expect(kept(3)).toEqual(once);
    expect(kept(4)).not.toEqual(once);
  },
);

it('of nothing is none', () => {
  expect(dropout(0, new Random(1))).toBe(noDropout);
});
