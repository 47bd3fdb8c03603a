/** Every gradient of our own against finite differences, along random directions. */
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, expect, it } from 'vitest';
import type { Exit } from '#model/checkpoint/exit.js';
import { chooseBackend } from '#training/backend/choose-backend.js';
import { Random } from '#training/data/random.js';
import { crossEntropy } from '#training/loss/cross-entropy.js';
import { divergence } from '#training/loss/divergence.js';
import { exitLogits } from '#training/model/exit-logits.js';
import { activate } from '#training/nn/activation.js';
import { attentionMask, attentionProbabilities } from '#training/nn/attention-probabilities.js';
import { drop, dropout } from '#training/nn/dropout.js';
import { feedForward } from '#training/nn/feed-forward.js';
import { layerNorm, unbiasedLayerNorm } from '#training/nn/layer-norm.js';
import { linear, matMul, matMulTransposed } from '#training/nn/mat-mul.js';
import { selfAttention } from '#training/nn/self-attention.js';
import { trainingBackend } from './training-backend.js';

beforeAll(() => chooseBackend(trainingBackend));
afterEach(() => tf.disposeVariables());

type Case = readonly [name: string, shapes: readonly (readonly number[])[], f: (...x: Tensor[]) => Tensor];

const exit = (kind: 'fastbert' | 'bitvoyage'): Exit => ({ layer: 1, kind, size: 4, heads: 2 });

/** Of an exit's tensors that the answer depends on: not the key's bias. */
function exitTensors(of: Exit): string[] {
  const inner = of.kind === 'fastbert' ? ['output', 'hidden'] : ['hidden'];
  const parts =
    of.kind === 'pooler' ? ['pooler', 'logits'] : ['narrow', 'query', 'key', 'value', ...inner, 'logits'];
  return parts.flatMap((part) => [`${part}.weight`, `${part}.bias`]).filter((name) => name !== 'key.bias');
}

function throughExit(of: Exit, hidden: Tensor, weights: readonly Tensor[]): Tensor {
  const named = exitTensors(of).map((name, index): [string, Tensor] => [`exits.1.${name}`, weights[index]!]);
  const shape = { rows: 2, longest: 3, mask: attentionMask([3, 2], 3) };
  return exitLogits(new Map(named), of, hidden, shape);
}

/** Two rows of three tokens, hidden size 5, an exit of width 4 (the pooler of 5), three classes. */
function exitCase(name: string, of: Exit): Case {
  const width = of.kind === 'pooler' ? 5 : 4;
  const shapes = exitTensors(of).map((each) => {
    const outputs = each.startsWith('logits') ? 3 : width;
    const inputs = each.startsWith('narrow') || each.startsWith('pooler') ? 5 : width;
    return each.endsWith('weight') ? [outputs, inputs] : [outputs];
  });
  return [name, [[6, 5], ...shapes], (hidden, ...weights) => throughExit(of, hidden, weights)];
}

/** Two rows of three tokens, one of which is padding; two heads of two. */
function attendTo(x: Tensor, weights: readonly Tensor[], dropped: Tensor | null): Tensor {
  const [query, key, value] = [0, 2, 4].map((at) => ({ weight: weights[at]!, bias: weights[at + 1]! }));
  const shape = { rows: 2, longest: 3, heads: 2, mask: attentionMask([3, 2], 3), dropped };
  return selfAttention(x, { query: query!, key: key!, value: value! }, shape);
}

const linearShapes = (inputs: number, outputs: number): number[][] => [[outputs, inputs], [outputs]];

const cases: readonly Case[] = [
  [
    'matMul',
    [
      [2, 3, 4],
      [2, 4, 5],
    ],
    (a, b) => matMul(a, b),
  ],
  [
    'matMulTransposed',
    [
      [2, 3, 4],
      [2, 5, 4],
    ],
    (a, b) => matMulTransposed(a, b),
  ],
  ['linear', [[3, 4], [5, 4], [5]], (x, w, b) => linear(x, w, b)],
  ['layer norm', [[3, 8], [8], [8]], (x, weight, bias) => layerNorm(x, { weight: weight, bias: bias }, 1e-5)],
  [
    'unbiased layer norm',
    [[3, 8], [8], [8]],
    (x, weight, bias) => unbiasedLayerNorm(x, { weight: weight, bias: bias }, 1e-6),
  ],
  ['attention', [[2, 2, 3]], (scores) => attentionProbabilities(scores, attentionMask([3, 2], 3))],
  ...(['gelu', 'gelu_new', 'silu', 'tanh'] as const).map((name): Case => [
    name,
    [[4, 5]],
    (x) => activate(x, name),
  ]),
  ...(['gelu', 'silu'] as const).map((name): Case => [
    `feed-forward with ${name}`,
    [[3, 4], ...linearShapes(4, 6), ...linearShapes(6, 4)],
    (x, w, b, v, c) => feedForward(x, { weight: w, bias: b }, { weight: v, bias: c }, name),
  ]),
  ['dropout', [[4, 6]], (x) => drop(x, dropout(0.3, new Random(3)))],
  ...[0, 0.3].map((rate): Case => [
    `self-attention, ${rate} dropped`,
    [[6, 4], ...[1, 2, 3].flatMap(() => linearShapes(4, 4))],
    (x, ...weights) => attendTo(x, weights, dropout(rate, new Random(3))([2, 2, 3, 3])),
  ]),
  ['cross-entropy', [[3, 4]], (logits) => crossEntropy(logits, Int32Array.of(0, 3, 1), [1, 2, 0.5, 3])],
  ...(['teacher-student', 'student-teacher'] as const).map((direction): Case => [
    `divergence ${direction}`,
    [[3, 4]],
    (logits) => divergence(logits, tf.tensor2d([1, 0, -1, 2, 0, 0, 1, 3, 1, 1, 1, 2], [3, 4]), direction, 2),
  ]),
  exitCase('exit fastbert', exit('fastbert')),
  exitCase('exit bitvoyage', exit('bitvoyage')),
  exitCase('exit pooler', { layer: 1, kind: 'pooler', activation: 'tanh' }),
];

const STEP = 2e-3;
/** Of the numbers: steep functions have no use for large ones. */
const DEVIATION = 0.5;

it.each(cases)('%s', (_, shapes, f) => {
  tf.tidy(() => {
    const random = new Random(11);
    const drawn = (shape: readonly number[]): Tensor =>
      tf.tensor(
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => DEVIATION * random.normal()),
        [...shape],
      );
    const inputs = shapes.map(drawn);
    const weights = drawn(f(...inputs).shape);
    const value = (...x: Tensor[]): Tensor => tf.sum(tf.mul(f(...x), weights));
    const gradients = tf.grads(value)(inputs);
    for (let round = 0; round < 3; round++) {
      const directions = shapes.map(drawn);
      const moved = (by: number): number =>
        value(...inputs.map((x, index) => tf.add(x, tf.mul(directions[index]!, by)))).dataSync()[0]!;
      const expected = (moved(STEP) - moved(-STEP)) / (2 * STEP);
      const found = gradients.reduce(
        (sum, gradient, index) => sum + tf.sum(tf.mul(gradient, directions[index]!)).dataSync()[0]!,
        0,
      );
      const size = Math.max(1, ...gradients.map((gradient) => tf.norm(gradient).dataSync()[0]!));
      expect(Math.abs(found - expected) / size, `${found} against ${expected}`).toBeLessThan(2e-2);
    }
  });
});
