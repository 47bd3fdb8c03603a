import { jobSlots } from '#pipeline/fleet/job-slots.js';
import type { FleetCosts } from './fleet-costs.js';
import type { FleetSettings } from './fleet-settings.js';
import type { Simulation } from './simulate-fleet.js';
import { simulateFleet } from './simulate-fleet.js';
import type { StageLoad } from './stage-load.js';

/** What a plan is made of. */
export interface PlanParts {
  readonly rows: number;
  readonly loads: readonly StageLoad[];
  readonly costs: FleetCosts;
  readonly settings: FleetSettings;
  /** Until new workers take jobs, seconds. */
  readonly startSeconds: number;
  /** That the whole fleet shares, where it is on one machine. */
  readonly sharedCores?: number | undefined;
  readonly seed: number;
}

/** When a fleet of these sizes is done. */
export interface FleetPlan {
  /** Workers of each stage, `[stages]`. */
  readonly replicas: readonly number[];
  readonly producers: number;
  readonly chunksInFlight: number;
  readonly simulation: Simulation;
  /** From the start of the workers to the whole output. */
  readonly finishSeconds: number;
  /** Of that, at the end: joining the parts. */
  readonly mergeSeconds: number;
}

/** No number of workers meets the target. */
export class TargetError extends Error {
  override readonly name = 'TargetError';

  constructor(
    readonly targetSeconds: number,
    /** What is there whatever the number of workers. */
    readonly leastSeconds: number,
  ) {
    super(
      `No number of workers finishes within ${Math.round(targetSeconds)} s: start, tail and merge alone take about ` +
        `${Math.ceil(leastSeconds)} s. Give it more time, or less --headroom.`,
    );
  }
}

/** A producer is not planned to be busier than this: feeding waits for nothing then. */
const BUSY_PRODUCER = 0.8;
/** More chunks in flight than workers' slots take, so that none waits for a commit. */
const SPARE_CHUNKS = 1.25;
const MOST_ROUNDS = 40;

/**
 * The fewest workers of each stage, as near as a search comes to it, that finish in time in the simulation.
 *
 * It begins with worker-seconds ÷ time, which is the least that could do, and adds workers where they are busiest until
 * the simulated run ends in time.
 * @param targetSeconds for everything, from the start of the workers to the whole output
 * @throws TargetError
 */
export function planFleet(parts: PlanParts, targetSeconds: number): FleetPlan {
  const { rows, loads, costs, startSeconds, settings } = parts;
  const merge = rows * costs.mergeSeconds;
  const time = targetSeconds - startSeconds - merge;
  const waits = (loads.length - 1) * settings.waitSeconds;
  if (time <= 0) throw new TargetError(targetSeconds, startSeconds + merge + waits);
  const producers = neededProducers(parts, time);
  const replicas = loads.map((load) =>
    Math.max(1, Math.ceil((rows * load.reach.share * load.rowSeconds(Infinity)) / (time * settings.threads))),
  );
  for (let round = 0; ; round += 1) {
    const plan = fleetPlan(parts, replicas, producers);
    const over = plan.finishSeconds / targetSeconds;
    if (over <= 1) return plan;
    const busiest = indexOfMost(plan.simulation.stages.map(({ utilisation }) => utilisation));
    // Where the workers are idle half of the time, more of them would be as well.
    const idle = (plan.simulation.stages[busiest]?.utilisation ?? 0) < 0.5 && round > 0;
    if (round === MOST_ROUNDS || (idle && replicas.every((count) => count > 1))) {
      throw new TargetError(targetSeconds, plan.finishSeconds);
    }
    replicas[busiest]! += Math.max(1, Math.floor(replicas[busiest]! * Math.min(1, over - 1)));
  }
}

/** Producers that give and commit all rows within so many seconds; each takes a part of the corpus as a run of its own. */
export function neededProducers({ rows, costs }: PlanParts, seconds: number): number {
  const work = rows * (costs.feedSeconds + costs.commitSeconds);
  return Math.max(1, Math.ceil(work / (seconds * BUSY_PRODUCER)));
}

/** Plays a run through with fleets of given sizes. */
export function fleetPlan(parts: PlanParts, replicas: readonly number[], producers: number): FleetPlan {
  const { rows, loads, costs, settings, startSeconds, sharedCores, seed } = parts;
  const chunksInFlight = Math.max(settings.chunksInFlight, neededChunks(parts, replicas));
  const simulation = simulateFleet({
    rows,
    chunkRows: settings.chunkRows,
    chunksInFlight,
    producers,
    feedSeconds: costs.feedSeconds,
    commitSeconds: costs.commitSeconds,
    stages: loads.map((load, index) => ({
      replicas: replicas[index] ?? 1,
      threads: settings.threads,
      slots: jobSlots(index, settings.jobs),
      survives: load.survives,
      rowSeconds: load.rowSeconds,
      waitSeconds: index === 0 ? 0 : settings.waitSeconds,
      fullAt: load.fullAt,
      sliceRows: load.sliceRows,
    })),
    sharedCores,
    seed,
  });
  const mergeSeconds = rows * costs.mergeSeconds;
  return {
    replicas: [...replicas],
    producers,
    chunksInFlight,
    simulation,
    finishSeconds: startSeconds + simulation.seconds + mergeSeconds,
    mergeSeconds,
  };
}

/**
 * Chunks that keep the fleet busy: every slot of the first stage has one, and as many are on their way through the later
 * stages as pass in the time that they wait there (Little's law).
 */
function neededChunks({ loads, settings }: PlanParts, replicas: readonly number[]): number {
  const { chunkRows, jobs, threads, waitSeconds } = settings;
  const pace = Math.min(
    ...loads.map((load, index) => {
      const seconds = load.reach.share * load.rowSeconds(Infinity);
      return seconds === 0 ? Infinity : ((replicas[index] ?? 1) * threads) / seconds / chunkRows;
    }),
  );
  const behind = pace === Infinity ? 0 : pace * waitSeconds * (loads.length - 1);
  return Math.ceil(SPARE_CHUNKS * ((replicas[0] ?? 1) * jobs + behind));
}

function indexOfMost(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}
