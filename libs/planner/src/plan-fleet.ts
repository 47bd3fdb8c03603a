import { jobSlots } from '#pipeline/fleet/job-slots.js';
import type { FleetCosts } from './fleet-costs.js';
import type { FleetSettings } from './fleet-settings.js';
import type { Simulation } from './simulate-fleet.js';
import { simulateLongRun } from './simulate-long-run.js';
import type { StageLoad } from './stage-load.js';
import { timeText } from './time-text.js';

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
      `No number of workers finishes within ${timeText(targetSeconds)}: start, tail and merge alone take about ` +
        `${timeText(leastSeconds)}. Give it more time, or less --headroom.`,
    );
  }
}

/** A producer is not planned to be busier than this: feeding waits for nothing then. */
const BUSY_PRODUCER = 0.8;
/** More chunks in flight than workers' slots take, so that none waits for a commit. */
const SPARE_CHUNKS = 1.25;
const MOST_ROUNDS = 40;
/** Of a run so many chunks are played, and again as many, before the rest is taken to go on like them: by a search, and by a plan. */
const SEARCH_CHUNKS = 3000;
const PLAN_CHUNKS = 20_000;
/** And at least as many times those in flight, so that the begin of a run does not count for its pace. */
const TIMES_IN_FLIGHT = 2;

/**
 * The fewest workers of each stage, as near as a search comes to it, that finish in time in the simulation.
 *
 * It begins with worker-seconds ÷ time, which is the least that could do. Where the simulated run ends too late, each stage
 * gets what its simulated work asks for, and where that is there already, more workers go where they are busiest.
 * @param targetSeconds for everything, from the start of the workers to the whole output
 * @throws TargetError
 */
export function planFleet(parts: PlanParts, targetSeconds: number): FleetPlan {
  const { rows, loads, startSeconds, settings } = parts;
  const { threads } = settings;
  const producers = neededProducers(parts, targetSeconds - startSeconds);
  const merge = mergeSecondsOf(parts, producers);
  const time = targetSeconds - startSeconds - merge;
  if (time <= 0) throw new TargetError(targetSeconds, startSeconds + merge);
  let replicas = loads.map((load) =>
    Math.max(1, Math.ceil((rows * load.reach.share * load.rowSeconds(Infinity)) / (time * threads))),
  );
  let least = Infinity;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    let { simulation } = playedPlan(parts, replicas, producers, SEARCH_CHUNKS);
    if (simulation.seconds <= time) {
      const plan = fleetPlan(parts, replicas, producers);
      if (plan.finishSeconds <= targetSeconds) return plan;
      simulation = plan.simulation;
    }
    const { seconds } = simulation;
    const busy = simulation.stages.map(({ busySeconds }) => busySeconds);
    least = Math.min(least, seconds);
    const asked = replicas.map((count, index) => Math.max(count, Math.ceil(busy[index]! / (time * threads))));
    if (asked.every((count, index) => count === replicas[index])) {
      const busiest = indexOfMost(busy.map((busy, index) => busy / replicas[index]!));
      const over = Math.min(1, seconds / time - 1);
      asked[busiest]! += Math.max(1, Math.floor(asked[busiest]! * over));
    }
    replicas = asked;
  }
  throw new TargetError(targetSeconds, startSeconds + merge + least);
}

/** Producers that give, commit and join all rows within so many seconds; each takes a part of the corpus as a run of its own. */
export function neededProducers({ rows, costs }: PlanParts, seconds: number): number {
  const work = (rows * (costs.feedSeconds + costs.commitSeconds)) / BUSY_PRODUCER + rows * costs.mergeSeconds;
  return seconds <= 0 ? 1 : Math.max(1, Math.ceil(work / seconds));
}

/** Each producer joins the parts of its own run. */
function mergeSecondsOf({ rows, costs }: PlanParts, producers: number): number {
  return (rows * costs.mergeSeconds) / producers;
}

/** When fleets of given sizes are done. A run is played through up to some 200 million rows; how a longer one goes on follows from its pace until then. */
export function fleetPlan(parts: PlanParts, replicas: readonly number[], producers: number): FleetPlan {
  return playedPlan(parts, replicas, producers, PLAN_CHUNKS);
}

/** @param chunks as of `simulateLongRun`, at least */
function playedPlan(
  parts: PlanParts,
  replicas: readonly number[],
  producers: number,
  chunks: number,
): FleetPlan {
  const { rows, loads, costs, settings, startSeconds, sharedCores, seed } = parts;
  const chunksInFlight = chunksInFlightOf(parts, replicas);
  const fleet = {
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
  };
  const simulation = simulateLongRun(fleet, Math.max(chunks, TIMES_IN_FLIGHT * chunksInFlight));
  const mergeSeconds = mergeSecondsOf(parts, producers);
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
function chunksInFlightOf({ loads, settings }: PlanParts, replicas: readonly number[]): number {
  const { chunkRows, jobs, threads, waitSeconds } = settings;
  const pace = Math.min(
    ...loads.map((load, index) => {
      const seconds = load.reach.share * load.rowSeconds(Infinity);
      return seconds === 0 ? Infinity : ((replicas[index] ?? 1) * threads) / seconds / chunkRows;
    }),
  );
  const behind = pace === Infinity ? 0 : pace * waitSeconds * (loads.length - 1);
  const needed = Math.ceil(SPARE_CHUNKS * ((replicas[0] ?? 1) * jobs + behind));
  return Math.max(settings.chunksInFlight, needed);
}

function indexOfMost(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}
