import { describe, expect, it } from 'vitest';
import { predictedTime } from './predicted-cost.js';

const stages = [
  { layers: null, exits: [0], secondsPerRow: 0.001, workers: 1 },
  { layers: [1, 2] as const, exits: [1, 2], secondsPerRow: 0.01, workers: 2 },
  { layers: [3, 6] as const, exits: [3, 6], secondsPerRow: 0.02, workers: 1 },
];
const exits = [
  { layer: 0, share: 0.7 },
  { layer: 1, share: 0.1 },
  { layer: 2, share: 0.1 },
  { layer: 6, share: 0.1 },
];

describe('the time of a run', () => {
  it('counts each stage for the texts that reach it', () => {
    const time = predictedTime({ exits, meanLayers: 0.9 }, stages)!;
    expect(time.secondsPerText).toBeCloseTo(0.001 + 0.3 * 0.01 + 0.1 * 0.02, 12);
  });

  it('adds the stages that the same workers do, and goes by the slowest where each has its own', () => {
    const shared = stages.map((stage) => ({ ...stage, workers: 2 }));
    const ofShared = predictedTime({ exits, meanLayers: 0.9 }, shared)!;
    expect(ofShared.secondsPerTextOfAll).toBeCloseTo((0.001 + 0.3 * 0.01 + 0.1 * 0.02) / 2, 12);
    const ofOwn = predictedTime({ exits, meanLayers: 0.9 }, stages)!;
    expect(ofOwn.secondsPerTextOfAll).toBeCloseTo(0.1 * 0.02, 12);
  });

  it('goes by the mean number of layers where nothing tells who reaches what', () => {
    const full = predictedTime({ exits: undefined, meanLayers: 6 }, stages)!;
    expect(full.secondsPerText).toBeCloseTo(0.031, 12);
    const tenth = predictedTime({ exits: undefined, meanLayers: 0.6 }, stages)!;
    expect(tenth.secondsPerText).toBeCloseTo(0.004, 12);
  });

  it('is not known before a stage that counts was measured, nor without workers', () => {
    const unmeasured = [stages[0]!, { ...stages[1]!, secondsPerRow: undefined }, stages[2]!];
    expect(predictedTime({ exits, meanLayers: 0.9 }, unmeasured)).toBeUndefined();
    expect(
      predictedTime({ exits: [{ layer: 0, share: 1 }], meanLayers: 0 }, unmeasured)?.secondsPerText,
    ).toBe(0.001);
    expect(predictedTime({ exits, meanLayers: 0.9 }, [])).toBeUndefined();
    const idle = [{ ...stages[0]!, workers: 0 }, ...stages.slice(1)];
    expect(predictedTime({ exits, meanLayers: 0.9 }, idle)).toMatchObject({ secondsPerTextOfAll: undefined });
  });
});
