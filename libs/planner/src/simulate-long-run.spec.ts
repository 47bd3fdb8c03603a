import { describe, expect, it } from 'vitest';
import type { SimulatedFleet, SimulatedStage } from './simulate-fleet.js';
import { simulateFleet } from './simulate-fleet.js';
import { simulateLongRun } from './simulate-long-run.js';

const stage: SimulatedStage = {
  replicas: 2,
  threads: 1,
  slots: 8,
  survives: 0.3,
  rowSeconds: () => 1e-3,
  waitSeconds: 0,
  fullAt: 500,
  sliceRows: Infinity,
};
const deep: SimulatedStage = { ...stage, slots: 64, waitSeconds: 5, rowSeconds: () => 3e-3 };
const fleet: SimulatedFleet = {
  rows: 40_000 * 128,
  chunkRows: 128,
  chunksInFlight: 64,
  producers: 1,
  feedSeconds: 1e-5,
  commitSeconds: 1e-5,
  stages: [stage, deep, deep],
  seed: 1,
};

describe('a long run', () => {
  it('ends when it would if it were played through', () => {
    const [played, foretold] = [simulateFleet(fleet), simulateLongRun(fleet, 2000)];
    expect([foretold.rows, foretold.chunks]).toEqual([played.rows, played.chunks]);
    for (const figure of ['seconds', 'feedSeconds', 'producerUtilisation'] as const)
      expect(foretold[figure] / played[figure]).toBeCloseTo(1, 1.5);
    for (const [index, { rows, busySeconds, utilisation }] of played.stages.entries()) {
      const told = foretold.stages[index]!;
      expect(told.rows / rows).toBeCloseTo(1, 1.5);
      expect(told.busySeconds / busySeconds).toBeCloseTo(1, 1.5);
      expect(told.utilisation / utilisation).toBeCloseTo(1, 1.5);
    }
  });

  it('is played through where it is no longer than what would be played of it', () => {
    expect(simulateLongRun(fleet, 20_000)).toEqual(simulateFleet(fleet));
  });
});
