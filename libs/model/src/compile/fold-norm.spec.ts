import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../../../test/random-checkpoint.js';
import type { LayerNorm, LayerWeights, Linear } from '../checkpoint/weights.js';
import { foldLayer, foldShift } from './fold-norm.js';

const random = randomNumbers(5);
const HIDDEN = 8;

const floats = (length: number): Float32Array => Float32Array.from({ length }, () => random() * 2 - 1);
const norm = (): LayerNorm => ({ weight: floats(HIDDEN), bias: floats(HIDDEN) });
const linear = (inputs: number, outputs: number): Linear => ({
  weight: floats(inputs * outputs),
  bias: floats(outputs),
  inputs,
  outputs,
});

/** x·weight + bias in float64. */
const apply = ({ weight, bias, inputs, outputs }: Linear, x: readonly number[]): number[] =>
  Array.from({ length: outputs }, (_, out) =>
    x.slice(0, inputs).reduce((sum, value, i) => sum + value * weight[i * outputs + out]!, bias[out]!),
  );

const sum = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => value + b[i]!);

describe('foldShift', () => {
  it('takes a norm before its shift to what the linear makes of it with the shift', () => {
    const before = norm();
    const original = linear(HIDDEN, 5);
    const x = Array.from(floats(HIDDEN));
    const shifted = x.map((value, i) => value + before.bias[i]!);
    const expected = apply(original, shifted);
    for (const [i, value] of apply(foldShift(before.bias, original), x).entries()) {
      expect(value).toBeCloseTo(expected[i]!, 5);
    }
  });
});

describe('foldLayer', () => {
  it('puts the shift of each residual into the bias before it', () => {
    const before = norm();
    const layer: LayerWeights = {
      query: linear(HIDDEN, HIDDEN),
      key: linear(HIDDEN, HIDDEN),
      value: linear(HIDDEN, HIDDEN),
      attentionOutput: linear(HIDDEN, HIDDEN),
      attentionNorm: norm(),
      intermediate: linear(HIDDEN, 16),
      output: linear(16, HIDDEN),
      outputNorm: norm(),
    };
    const folded = foldLayer(layer, before.bias);
    expect(folded.attentionOutput.bias).toEqual(sum(layer.attentionOutput.bias, before.bias));
    expect(folded.output.bias).toEqual(sum(layer.output.bias, layer.attentionNorm.bias));
    expect(folded.outputGain).toBe(layer.outputNorm.weight);
  });
});
