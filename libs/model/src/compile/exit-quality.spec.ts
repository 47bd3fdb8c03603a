import { describe, expect, it } from 'vitest';
import type { ExitOpinions } from './exit-opinions.js';
import { oneLabel } from '#pipeline/answer-form.js';
import { choosePresets, exitQuality, labelsOf, speedQuality } from './exit-quality.js';

/** Two classes; each row's label and uncertainty at each exit. */
function opinions(
  exits: Record<number, readonly (readonly [label: 0 | 1, uncertainty: number])[]>,
): ExitOpinions {
  const entries = Object.entries(exits).map(
    ([layer, rows]) =>
      [
        Number(layer),
        {
          probabilities: Float32Array.from(
            rows.flatMap(([label]) => (label === 0 ? [0.75, 0.25] : [0.25, 0.75])),
          ),
          uncertainty: Float32Array.from(rows, ([, uncertainty]) => uncertainty),
        },
      ] as const,
  );
  return { rows: entries[0]![1].uncertainty.length, classes: 2, exits: new Map(entries) };
}

describe('labelsOf', () => {
  it('takes the most probable class, the first on a tie', () => {
    const probabilities = Float32Array.of(0.1, 0.2, 0.7, 0.4, 0.4, 0.2, 1 / 3, 1 / 3, 1 / 3);
    expect([...labelsOf(probabilities, 3)]).toEqual([2, 0, 0]);
  });
});

describe('exitQuality', () => {
  const reference = opinions({
    0: [
      [0, 0],
      [1, 0],
      [1, 0],
      [0, 0],
    ],
    2: [
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 0],
    ],
  });
  const compiled = opinions({
    0: [
      [0, 0],
      [1, 0],
      [0, 0],
      [0, 0],
    ],
    2: [
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 0],
    ],
  });

  it('measures agreement, and accuracy where labels are known', () => {
    expect(exitQuality(compiled, reference, undefined, oneLabel)).toEqual([
      { layer: 0, agreement: 0.75 },
      { layer: 2, agreement: 1 },
    ]);
    expect(exitQuality(compiled, reference, Int32Array.of(0, 0, 1, -1), oneLabel)).toEqual([
      { layer: 0, agreement: 0.75, accuracy: 1 / 3, accuracyFp32: 2 / 3 },
      { layer: 2, agreement: 1, accuracy: 1, accuracyFp32: 1 },
    ]);
  });

  it('measures no accuracy where no label is one of the model’s', () => {
    expect(exitQuality(compiled, reference, new Int32Array(4).fill(-1), oneLabel)[0]).toEqual({
      layer: 0,
      agreement: 0.75,
    });
  });
});

describe('speedQuality', () => {
  const told = opinions({
    0: [
      [0, 0.1],
      [1, 0.5],
      [1, 0.9],
    ],
    1: [
      [0, 0.05],
      [0, 0.3],
      [1, 0.2],
    ],
    3: [
      [0, 1],
      [0, 1],
      [0, 1],
    ],
  });

  it('lets rows leave strictly below the speed, the rest at the last exit', () => {
    expect(speedQuality(told, 0, oneLabel)).toEqual({ agreement: 1, meanLayers: 3 });
    expect(speedQuality(told, 0.25, oneLabel)).toEqual({ agreement: 2 / 3, meanLayers: (0 + 3 + 1) / 3 });
    expect(speedQuality(told, 1, oneLabel)).toEqual({ agreement: 1 / 3, meanLayers: 0 });
  });

  it('compares as float32 does, like the graph', () => {
    const edge = opinions({ 0: [[0, 0.3]], 1: [[0, 0]] });
    // In float32 both are the same number; in float64 the float32 of 0.3 would lie above 0.3.
    expect(speedQuality(edge, 0.3, oneLabel).meanLayers).toBe(1);
    const other = opinions({ 0: [[0, 0.1]], 1: [[0, 0]] });
    expect(speedQuality(other, 0.1, oneLabel).meanLayers).toBe(1);
  });
});

describe('choosePresets', () => {
  it('takes the highest speed up to which the agreement holds', () => {
    // 200 rows; those of uncertainty 0.105 agree, one row errs at 0.205, two more at 0.405, 3 more at 0.605.
    const first = Array.from({ length: 200 }, (_, row): [0 | 1, number] => {
      const uncertainty = row < 194 ? 0.105 : row < 195 ? 0.205 : row < 197 ? 0.405 : 0.605;
      return [row < 194 ? 0 : 1, uncertainty];
    });
    const last = first.map((): [0 | 1, number] => [0, 0.5]);
    const presets = choosePresets([1, 4], opinions({ 1: first, 4: last }), oneLabel);
    expect(presets['full']).toEqual({ thresholds: { 1: 0, 4: 0 }, agreement: 1, meanLayers: 4 });
    expect(presets['accurate']?.thresholds).toEqual({ 1: 0.4, 4: 0.4 });
    expect(presets['accurate']?.agreement).toBe(0.995);
    expect(presets['balanced']?.thresholds).toEqual({ 1: 0.4, 4: 0.4 });
    expect(presets['fast']).toEqual({
      thresholds: { 1: 0.6, 4: 0.6 },
      agreement: 0.985,
      meanLayers: (197 + 3 * 4) / 200,
    });
  });

  it('has fixed speeds where nothing was measured', () => {
    expect(choosePresets([0, 6], undefined, oneLabel)['fast']).toEqual({ thresholds: { 0: 0.3, 6: 0.3 } });
  });
});
