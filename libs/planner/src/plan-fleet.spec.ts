import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelLayout } from '#pipeline/stage-layout.js';
import type { FleetCosts } from './fleet-costs.js';
import type { FleetSettings } from './fleet-settings.js';
import type { Pilot, StageTimes } from './pilot.js';
import type { PlanParts } from './plan-fleet.js';
import { fleetPlan, planFleet, TargetError } from './plan-fleet.js';
import { redisLoad } from './redis-load.js';
import { PilotError, stageLoads } from './stage-load.js';

const layout: ModelLayout = {
  labels: ['ham', 'spam'],
  task: 'single',
  hiddenSize: 384,
  activation: 'float32',
  stages: [{ exits: [0] }, { layers: [1, 2], exits: [1, 2] }, { layers: [3, 6], exits: [3, 4, 5, 6] }],
};
const costs: FleetCosts = {
  feedSeconds: 1e-5,
  commitSeconds: 1e-5,
  mergeSeconds: 2e-6,
  jobSeconds: 2e-6,
  activationSeconds: 7e-9,
  redisRowSeconds: 1e-6,
  redisByteSeconds: 3e-9,
};
const settings: FleetSettings = {
  chunkRows: 1024,
  chunksInFlight: 32,
  threads: 1,
  cores: 1,
  jobs: 8,
  batchTokens: 1024,
  waitSeconds: 5,
  blobBytes: 32 * 2 ** 20,
  redisUsedRatio: 0.6,
};
const times: StageTimes = {
  tokenizeSecondsPerToken: 8e-7,
  stages: [
    { batchSeconds: 5e-4, tokenSeconds: 3e-6 },
    { batchSeconds: 1e-3, tokenSeconds: 3e-5 },
    { batchSeconds: 2e-3, tokenSeconds: 7e-5 },
  ],
  handlingSeconds: 4e-5,
};
const pilot: Pilot = {
  rows: 2000,
  tokensPerRow: 53,
  textBytesPerRow: 240,
  exits: [700, 500, 300, 200, 150, 100, 50].map((rows, layer) => ({ layer, rows })),
};

function parts(rows: number, given: Partial<Parameters<typeof stageLoads>[0]> = {}): PlanParts {
  const all = {
    layout,
    maxLength: 128,
    pilot,
    times,
    costs,
    settings,
    speeds: [1, 1, 1],
    ...given,
  };
  return {
    rows,
    loads: stageLoads(all),
    costs: all.costs,
    settings: all.settings,
    startSeconds: 60,
    seed: 1,
  };
}

describe('the load of a stage', () => {
  it('follows from where the rows of the pilot left', () => {
    const [first, second, third] = parts(1).loads;
    expect([first, second, third].map((load) => load!.reach.part)).toEqual([2000, 1300, 500]);
    expect(second!.survives).toBeCloseTo(500 / 1300, 12);
    // 500 rows ran through one of two layers, the others through both.
    expect(second!.depth).toBeCloseTo((500 + 2 * 800) / 2600, 12);
    expect(third!.depth).toBeCloseTo((200 + 2 * 150 + 3 * 100 + 4 * 50) / 2000, 12);
    expect([first!.activationBytes, Math.round(second!.activationBytes / 53)]).toEqual([0, 384 * 4]);
    expect([first!.batchTokens, second!.batchTokens]).toEqual([2048, 1024]);
  });

  it('takes a row longer in smaller batches, and a faster worker less long', () => {
    const [, , deep] = parts(1).loads;
    expect(deep!.rowSeconds(1)).toBeGreaterThan(deep!.rowSeconds(10_000));
    const [, , fast] = parts(1, { speeds: [1, 1, 4] }).loads;
    expect(fast!.rowSeconds(100)).toBeCloseTo(deep!.rowSeconds(100) / 4, 12);
  });

  it('knows the lengths of the rows where the pilot does', () => {
    const lengths = [
      [{ length: 40, rows: 2000 }],
      [{ length: 50, rows: 1300 }],
      [{ length: 100, rows: 500 }],
    ];
    const loads = parts(1, { pilot: { ...pilot, lengths } }).loads;
    expect(loads.map(({ tokens }) => tokens)).toEqual([40, 50, 100]);
    expect(loads[2]!.fullAt).toBe(10);
  });

  it('refuses a pilot of another model, and one without rows', () => {
    const exits = [{ layer: 9, rows: 2000 }];
    expect(() => parts(1, { pilot: { ...pilot, exits } })).toThrow(PilotError);
    expect(() => parts(1, { pilot: { ...pilot, rows: 0, exits: [] } })).toThrow(/labelled rows/);
    expect(() => parts(1, { times: { ...times, stages: times.stages.slice(1) } })).toThrow(/3/);
  });
});

describe('a plan', () => {
  it('meets its target in the simulation, with not many more workers than the work alone needs', () => {
    const goal = fc.record({
      rows: fc.integer({ min: 100_000, max: 5_000_000 }),
      hours: fc.double({ min: 0.5, max: 24, noNaN: true }),
      slow: fc.double({ min: 0.3, max: 5, noNaN: true }),
    });
    fc.assert(
      fc.property(goal, ({ rows, hours, slow }) => {
        const given = parts(rows, { speeds: [1 / slow, 1 / slow, 1 / slow] });
        const { finishSeconds, replicas, simulation, mergeSeconds } = planFleet(given, hours * 3600);
        expect(finishSeconds).toBeLessThanOrEqual(hours * 3600);
        expect(simulation.rows).toBe(rows);
        const time = hours * 3600 - 60 - mergeSeconds;
        for (const [index, load] of given.loads.entries()) {
          const needed = (rows * load.reach.share * load.rowSeconds(1e6)) / time;
          expect(replicas[index]).toBeGreaterThanOrEqual(Math.ceil(needed));
          expect(replicas[index]).toBeLessThanOrEqual(Math.ceil(1.35 * needed) + 1);
        }
      }),
      { numRuns: 15 },
    );
  });

  it('has as many chunks in flight as keep its workers busy', () => {
    const plan = planFleet(parts(50_000_000), 3600);
    expect(plan.chunksInFlight).toBeGreaterThan(8 * plan.replicas[0]!);
    const starved = parts(50_000_000, { settings: { ...settings, jobs: 1 } });
    expect(fleetPlan(starved, plan.replicas, plan.producers).chunksInFlight).toBeLessThan(
      plan.chunksInFlight,
    );
  });

  it('has a second producer where one is too slow', () => {
    const { producers, simulation } = planFleet(parts(20_000_000), 450);
    expect(producers).toBeGreaterThan(1);
    expect(simulation.producerUtilisation).toBeLessThan(0.9);
  });

  it('says so where no number of workers would do', () => {
    expect(() => planFleet(parts(1_000_000), 50)).toThrow(TargetError);
    expect(() => planFleet(parts(1000), 60.3)).toThrow(/No number of workers/);
    expect(new TargetError(24_480, 2_000_070).message).toMatch(/within 6 h 48 min: .* about 555 h 35 min\. /);
  });

  it('comes to an end for any number of rows', () => {
    const { simulation } = fleetPlan(parts(1e12), [80, 180, 80], 4);
    expect(simulation.rows).toBe(1e12);
    const most = Math.max(...simulation.stages.map(({ utilisation }) => utilisation));
    expect(most).toBeGreaterThan(0.9);
    expect(most).toBeLessThan(1.01);
  });

  it('needs Redis for what is on its way, not for the rows', () => {
    const given = parts(1e8);
    const plan = planFleet(given, 3 * 3600);
    const load = redisLoad(plan, given.loads, { textBytes: 240, rows: 1e8, costs, settings });
    expect(load.queueBytes).toBeLessThan(2e9);
    expect(load.activationBytes).toBeGreaterThan(0);
    const most = plan.chunksInFlight * 1024 * 2 * 53 * 384 * 4;
    expect(load.activationBytes).toBeLessThanOrEqual(most);
    expect(load.queueMaxMemory * 0.6).toBeGreaterThan(load.queueBytes);
    expect(load.activationMaxMemory).toBeGreaterThan(load.activationBytes);
  });
});
