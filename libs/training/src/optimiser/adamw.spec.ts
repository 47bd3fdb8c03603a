import { describe, expect, it } from 'vitest';
import { Random } from '../data/random.js';
import { addGradients, scaleGradients } from './add-gradients.js';
import { AdamW, decays } from './adamw.js';
import type { RowGradient } from './gradient.js';
import { clippingScale, globalNorm } from './gradient.js';
import { learningRate } from './learning-rate.js';

const [ROWS, WIDTH] = [7, 3];
const NAME = 'bert.embeddings.word_embeddings.weight';

/** Some rows' gradient, and the same as a whole table. */
function someRows(random: Random): { rows: RowGradient; whole: Float32Array } {
  const used = Int32Array.from({ length: ROWS }, (_, row) => row).filter(() => random.uniform() < 0.4);
  const values = Float32Array.from({ length: used.length * WIDTH }, () => random.normal());
  const whole = new Float32Array(ROWS * WIDTH);
  for (const [index, row] of used.entries()) {
    whole.set(values.subarray(index * WIDTH, (index + 1) * WIDTH), row * WIDTH);
  }
  return { rows: { rows: used, values }, whole };
}

describe('AdamW', () => {
  it('does to a table by its rows what it does to all of it', () => {
    const random = new Random(4);
    const first = Float32Array.from({ length: ROWS * WIDTH }, () => random.normal());
    const [byRows, byAll] = [new Map([[NAME, first.slice()]]), new Map([[NAME, first.slice()]])];
    const [rowsStep, allStep] = [new AdamW(byRows, [NAME]), new AdamW(byAll, [NAME])];
    for (let step = 0; step < 30; step++) {
      const { rows, whole } = someRows(random);
      if (rows.rows.length === 0) continue;
      rowsStep.step(new Map([[NAME, rows]]), 1e-2, 0.5);
      allStep.step(new Map([[NAME, whole]]), 1e-2, 0.5);
      expect(byRows.get(NAME)).toEqual(byAll.get(NAME));
    }
    expect(byRows.get(NAME)).not.toEqual(first);
  });

  it('draws weights to 0, but no bias and no norm', () => {
    const names = ['a.weight', 'a.bias', 'a.LayerNorm.weight', 'a.LayerNorm.bias'];
    expect(names.filter(decays)).toEqual(['a.weight']);
    const values = new Map(names.map((name) => [name, Float32Array.of(1)]));
    const gradients = new Map(names.map((name) => [name, new Float32Array(1)]));
    new AdamW(values, names, { weightDecay: 0.5 }).step(gradients, 0.1, 1);
    expect([...values.values()].map(([value]) => value)).toEqual([Math.fround(0.95), 1, 1, 1]);
  });
});

describe('gradients', () => {
  it('of several batches add up, by rows and whole', () => {
    const random = new Random(9);
    const [one, other] = [someRows(random), someRows(random)];
    const sum = addGradients(
      new Map<string, Float32Array | RowGradient>([
        ['table', one.rows],
        ['whole', one.whole],
      ]),
      new Map<string, Float32Array | RowGradient>([
        ['table', other.rows],
        ['whole', other.whole],
      ]),
    );
    const expected = one.whole.map((value, index) => value + other.whole[index]!);
    expect(sum.get('whole')).toEqual(expected);
    expect(globalNorm(new Map([['table', sum.get('table')!]]))).toBeCloseTo(Math.hypot(...expected), 5);
    scaleGradients(sum, 0.5);
    expect(sum.get('whole')).toEqual(expected.map((value) => value / 2));
  });

  it('are clipped to a norm, and left as they are below it', () => {
    expect(clippingScale(10, 1)).toBeCloseTo(0.1, 6);
    expect(clippingScale(0.5, 1)).toBe(1);
  });
});

describe('learningRate', () => {
  it('rises for a share of the steps and falls to 0', () => {
    const rates = Array.from({ length: 101 }, (_, step) => learningRate(2, step, 100, 0.1));
    expect([rates[0], rates[5], rates[10], rates[55], rates[100]]).toEqual([0, 1, 2, 1, 0]);
    expect(Math.max(...rates)).toBe(2);
  });
});
