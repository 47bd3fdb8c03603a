import { describe, expect, it } from 'vitest';
import type { Evaluation } from '../api/views.js';
import { pointsOf, sensiblePoint } from './points.js';

const presets = {
  fast: { thresholds: { 0: 0.3, 2: 0 }, agreement: 0.98, meanLayers: 0.5 },
  full: { thresholds: { 0: 0, 2: 0 }, agreement: 1, meanLayers: 2 },
  balanced: { thresholds: { 0: 0.1, 2: 0 }, agreement: 0.99, meanLayers: 1 },
};
const share = (value: number) => ({ share: value, low: value, high: value });
const policy = (
  name: string,
  accuracy: number | undefined,
  saved: number,
): Evaluation['policies'][number] => ({
  name,
  thresholds: { 0: 0.1, 2: 0 },
  accuracy: accuracy === undefined ? undefined : share(accuracy),
  agreement: share(0.97),
  meanLayers: 1,
  work: { saved },
  exits: [],
});

describe('points of speed and accuracy', () => {
  it('are the presets of a bundle, the dearest first', () => {
    const points = pointsOf({ presets, layers: 2 }, undefined);
    expect(
      points.map(({ name, cost, quality, measure, choice }) => [name, cost, quality, measure, choice]),
    ).toEqual([
      ['full', 1, 1, 'agreement', { policy: 'full' }],
      ['balanced', 0.5, 0.99, 'agreement', { policy: 'balanced' }],
      ['fast', 0.25, 0.98, 'agreement', { policy: 'fast' }],
    ]);
    expect(sensiblePoint(points)?.name).toBe('balanced');
  });

  it('are those of an evaluation where there is one, each asked for as it was measured', () => {
    const evaluation = { layers: 2, policies: [policy('0.2', 0.9, 0.75), policy('mine', 0.95, 0.25)] };
    const points = pointsOf({ presets, layers: 2 }, evaluation);
    expect(
      points.map(({ name, cost, quality, measure, choice }) => [name, cost, quality, measure, choice]),
    ).toEqual([
      ['mine', 0.75, 0.95, 'accuracy', { policy: { 0: 0.1, 2: 0 } }],
      ['0.2', 0.25, 0.9, 'accuracy', { speed: 0.2 }],
    ]);
    expect(sensiblePoint(points)?.name).toBe('mine');
  });

  it('keep the names of presets that are as they were measured', () => {
    const policies = [policy('balanced', 0.9, 0.5), policy('fast', 0.9, 0.5)];
    const points = pointsOf({ presets, layers: 2 }, { layers: 2, policies });
    expect(points.map(({ choice }) => choice)).toEqual([
      { policy: 'balanced' },
      { policy: { 0: 0.1, 2: 0 } },
    ]);
  });

  it('tell agreement with the full depth where the corpus had no labels', () => {
    const [point] = pointsOf({ presets, layers: 2 }, { layers: 2, policies: [policy('0', undefined, 0)] });
    expect(point).toMatchObject({ quality: 0.97, measure: 'agreement', cost: 1 });
  });
});
