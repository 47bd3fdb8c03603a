import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assumedLengths, batchesPerRowTable, rowsOfAFullBatch } from './batch-fill.js';
import type { SimulatedFleet, SimulatedStage, Simulation } from './simulate-fleet.js';
import { simulateFleet } from './simulate-fleet.js';

function stage(given: Partial<SimulatedStage> = {}): SimulatedStage {
  return {
    replicas: 2,
    threads: 1,
    slots: 8,
    survives: 0.3,
    rowSeconds: () => 1e-3,
    waitSeconds: 0,
    fullAt: 500,
    sliceRows: Infinity,
    ...given,
  };
}

function fleet(given: Partial<SimulatedFleet> = {}): SimulatedFleet {
  return {
    rows: 200_000,
    chunkRows: 1024,
    chunksInFlight: 64,
    producers: 1,
    feedSeconds: 1e-5,
    commitSeconds: 1e-5,
    stages: [stage(), stage({ slots: 64, waitSeconds: 5 }), stage({ slots: 64, waitSeconds: 5 })],
    seed: 1,
    ...given,
  };
}

const anyStage = fc.record({
  replicas: fc.integer({ min: 1, max: 6 }),
  threads: fc.integer({ min: 1, max: 3 }),
  slots: fc.integer({ min: 1, max: 20 }),
  survives: fc.double({ min: 0, max: 1, noNaN: true }),
  waitSeconds: fc.constantFrom(0, 0.5, 5),
  fullAt: fc.integer({ min: 1, max: 3000 }),
  sliceRows: fc.constantFrom(50, 400, Infinity),
});
const anyFleet = fc
  .record({
    rows: fc.integer({ min: 0, max: 30_000 }),
    chunkRows: fc.integer({ min: 1, max: 1500 }),
    chunksInFlight: fc.integer({ min: 1, max: 40 }),
    producers: fc.integer({ min: 1, max: 3 }),
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
    stages: fc.array(anyStage, { minLength: 1, maxLength: 4 }),
  })
  .map((given) => fleet({ ...given, stages: given.stages.map(stage) }));

/** Two chunks arrive at the second stage after 10 s and 20 s, and take 10 s each. */
function patientRun(waitSeconds: number): Simulation {
  const slow = { replicas: 1, rowSeconds: () => 1e-2 };
  const stages = [stage({ ...slow, survives: 1 }), stage({ ...slow, waitSeconds, fullAt: 5000 })];
  return simulateFleet(fleet({ rows: 2000, chunkRows: 1000, stages }));
}

describe('a simulated run', () => {
  it('commits every row once, whatever the fleet', () => {
    fc.assert(
      fc.property(anyFleet, (each) => {
        const { rows, chunks, stages, chunksMost } = simulateFleet(each);
        expect(rows).toBe(each.rows);
        expect(chunks).toBe(Math.ceil(each.rows / each.chunkRows));
        expect(chunksMost).toBeLessThanOrEqual(each.chunksInFlight);
        expect(stages[0]!.rows).toBe(each.rows);
        for (const [index, { rows: entered, utilisation }] of stages.entries()) {
          expect(entered).toBeLessThanOrEqual(index === 0 ? each.rows : stages[index - 1]!.rows);
          expect(utilisation).toBeLessThanOrEqual(1 + 1e-9);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is never faster than its work divided by its workers, nor than its producer', () => {
    fc.assert(
      fc.property(anyFleet, (each) => {
        const { seconds, stages } = simulateFleet(each);
        for (const [index, { replicas, threads }] of each.stages.entries()) {
          const least = stages[index]!.busySeconds / (replicas * threads);
          expect(seconds).toBeGreaterThanOrEqual(least * (1 - 1e-9));
        }
        const fed = (each.rows * (each.feedSeconds + each.commitSeconds)) / each.producers;
        expect(seconds).toBeGreaterThanOrEqual(fed * (1 - 1e-9));
      }),
      { numRuns: 60 },
    );
  });

  it('is the same for the same seed, and another for another', () => {
    expect(simulateFleet(fleet())).toEqual(simulateFleet(fleet()));
    expect(simulateFleet(fleet({ seed: 2 })).stages[1]!.rows).not.toBe(
      simulateFleet(fleet()).stages[1]!.rows,
    );
  });

  it('takes as long as the work of its bottleneck, where everything else is plentiful', () => {
    // 200,000 rows × 1 ms ÷ 2 workers.
    const { seconds, stages } = simulateFleet(
      fleet({ stages: [stage(), stage({ replicas: 20, slots: 64 })] }),
    );
    expect(seconds).toBeGreaterThan(100);
    expect(seconds).toBeLessThan(105);
    expect(stages[0]!.utilisation).toBeGreaterThan(0.95);
    // Three rows of ten survive.
    expect(stages[1]!.rows / 200_000).toBeCloseTo(0.3, 2);
  });

  it('waits for its producer where that is the bottleneck', () => {
    const slow = { feedSeconds: 1e-3, commitSeconds: 1e-3, stages: [stage({ replicas: 10 })] };
    expect(simulateFleet(fleet(slow)).seconds).toBeGreaterThan(400);
    const two = simulateFleet(fleet({ ...slow, producers: 2 }));
    expect(two.seconds).toBeLessThan(202);
    expect(two.producerUtilisation).toBeGreaterThan(0.98);
  });

  it('shares the cores of one machine among all that works', () => {
    const four = [stage({ replicas: 4 })];
    const apart = simulateFleet(fleet({ stages: four }));
    const shared = simulateFleet(fleet({ stages: four, sharedCores: 2 }));
    // The work of the producer and of the workers, on two cores.
    const work = 200_000 * (1e-3 + 2e-5);
    expect(shared.seconds / (work / 2)).toBeGreaterThan(1);
    expect(shared.seconds / (work / 2)).toBeLessThan(1.05);
    expect(apart.seconds).toBeLessThan(0.55 * shared.seconds);
  });

  it('starves workers with too few chunks in flight', () => {
    const many = [stage({ replicas: 20 })];
    const starved = simulateFleet(fleet({ stages: many, chunksInFlight: 16 }));
    const fed = simulateFleet(fleet({ stages: many, chunksInFlight: 200 }));
    expect(starved.seconds).toBeGreaterThan(1.5 * fed.seconds);
  });

  it('ends no later with more workers of any stage, but for the luck of who gets the last jobs', () => {
    fc.assert(
      fc.property(anyFleet, fc.nat(), (each, pick) => {
        const index = pick % each.stages.length;
        const more = each.stages.map((one, at) =>
          at === index ? { ...one, replicas: one.replicas * 2 } : one,
        );
        // Enough chunks for all of them: to starve twice as many workers is worse.
        const plenty = { ...each, chunksInFlight: 10_000, rows: each.rows + 20_000 };
        const before = simulateFleet(plenty).seconds;
        const after = simulateFleet({ ...plenty, stages: more }).seconds;
        // Rows of more workers wait longer for full batches: once at each stage.
        const waits = each.stages.reduce((sum, { waitSeconds }) => sum + waitSeconds, 0);
        expect(after).toBeLessThanOrEqual(before * 1.15 + waits);
      }),
      { numRuns: 40 },
    );
  });

  describe('with rows that wait for full batches behind the first stage', () => {
    it('begins them when they have waited long enough', () => {
      expect(patientRun(5).seconds - patientRun(0).seconds).toBeCloseTo(5, 1);
      expect(patientRun(5).stages[1]!.rowsPooled).toBe(1000);
    });

    it('begins them when no more will come', () => {
      expect(patientRun(3600).seconds - patientRun(0).seconds).toBeCloseTo(10, 1);
      expect(patientRun(3600).stages[1]!.rowsPooled).toBeGreaterThan(1000);
    });
  });

  it('fills batches better where more rows wait', () => {
    const lengths = assumedLengths(50, 128);
    const fill = batchesPerRowTable(lengths, 1024);
    const rowSeconds = (waiting: number): number => 1e-3 * fill(waiting);
    const deep = (survives: number): number => {
      const stages = [
        stage({ survives, rowSeconds: () => 1e-5 }),
        stage({
          replicas: 1,
          slots: 64,
          waitSeconds: 0.5,
          fullAt: rowsOfAFullBatch(lengths, 1024),
          rowSeconds,
        }),
      ];
      const { busySeconds, rows } = simulateFleet(fleet({ stages })).stages[1]!;
      return busySeconds / rows;
    };
    expect(deep(0.5)).toBeLessThan(0.6 * deep(0.005));
  });

  it('plays 10⁹ rows in seconds, in little memory', () => {
    const stages = [
      stage({ replicas: 40, survives: 0.3 }),
      stage({ replicas: 14, slots: 64, waitSeconds: 5, survives: 0.5 }),
      stage({ replicas: 8, slots: 64, waitSeconds: 5 }),
    ];
    const before = process.memoryUsage().heapUsed;
    const { rows, seconds } = simulateFleet(fleet({ rows: 1e9, chunksInFlight: 1000, stages }));
    expect(rows).toBe(1e9);
    expect(seconds).toBeGreaterThan(25_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(150 * 2 ** 20);
  });

  it('refuses a fleet that could never end', () => {
    expect(() => simulateFleet(fleet({ stages: [] }))).toThrow(RangeError);
    expect(() => simulateFleet(fleet({ chunksInFlight: 0 }))).toThrow(/at least 1 of everything/);
    expect(() => simulateFleet(fleet({ stages: [stage({ replicas: 0 })] }))).toThrow(RangeError);
  });
});
