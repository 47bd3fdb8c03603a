import { describe, expect, it } from 'vitest';
import { checkDepths, checkRound } from './depth-checks.js';
import type { Engine } from './depth-variants.js';

const names: readonly Engine[] = ['sluice-int8', 'sluice-fp32', 'pytorch-1', 'pytorch-32'];
const variants = names.map((engine) => ({ name: `${engine}-3`, engine, depth: 3 }));
const said = (changes: Partial<Record<Engine, number[]>> = {}): Map<string, { probabilities: number[] }> =>
  new Map(
    variants.map(({ name, engine }) => [name, { probabilities: changes[engine] ?? [0.2, 0.7, 0.9, 0.4] }]),
  );

describe('what the engines say of the same rows', () => {
  it('is told', () => {
    const [line] = checkDepths(variants, said({ 'sluice-fp32': [0.2, 0.7, 0.90001, 0.4] }));
    expect(line).toBe(
      'after layer 3: Sluice fp32 and PyTorch differ by 1.0e-5 at most; int8 labels 100.0 % as fp32 does, its probabilities are off by 0.0000 in the mean',
    );
  });

  it.each([
    ['sluice-fp32', /sluice-fp32 and pytorch-1 differ by 0\.\d+ after layer 3/],
    ['pytorch-32', /pytorch-32 and pytorch-1 differ/],
  ] as const)('must be the same of %s', (engine, message) => {
    expect(() => checkDepths(variants, said({ [engine]: [0.3, 0.7, 0.9, 0.4] }))).toThrow(message);
  });

  it('must be labels as of float32 from int8', () => {
    expect(() => checkDepths(variants, said({ 'sluice-int8': [0.2, 0.7, 0.9, 0.6] }))).toThrow(
      /int8 labels 0\.75/,
    );
    expect(checkDepths(variants, said({ 'sluice-int8': [0.4, 0.6, 0.6, 0.1] }))).toHaveLength(1);
  });
});

it('must be the same in every round, of Sluice to the bit', () => {
  const [int8, , torch] = variants;
  const first = { probabilities: [0.5, 0.25] };
  const nearly = { probabilities: [0.5, 0.250001] };
  expect(() => checkRound(int8!, nearly, first)).toThrow(/sluice-int8-3 gave probabilities that differ/);
  expect(() => checkRound(torch!, nearly, first)).not.toThrow();
  expect(() => checkRound(torch!, { probabilities: [0.5] }, first)).toThrow(/gave 1 rows, 2 before/);
});
