import type { Settings } from '#config/settings-schema.js';
import type { Manifest } from '#model/bundle/manifest.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { sum } from '#pipeline/report/counts.js';
import type { Proportion } from '#pipeline/evaluation/proportion.js';
import { batchesPerRow } from '#planner/batch-fill.js';
import { measuredCosts } from '#planner/fleet-costs.js';
import type { FleetSettings } from '#planner/fleet-settings.js';
import type { FleetPlan, PlanParts } from '#planner/plan-fleet.js';
import { fleetPlan, neededProducers, planFleet } from '#planner/plan-fleet.js';
import type { RedisLoad } from '#planner/redis-load.js';
import { redisLoad } from '#planner/redis-load.js';
import type { StageLoad } from '#planner/stage-load.js';
import { stageLoads } from '#planner/stage-load.js';
import type { MeasuredPilot } from './measured-pilot.js';

const MEBIBYTE = 2 ** 20;
const SEED = 1;

/** What is asked for. */
export interface PlanGoal {
  readonly rows: number;
  /** For everything; or how many workers there are. */
  readonly target:
    { readonly seconds: number; readonly headroom: number } | { readonly replicas: readonly number[] };
  /** Prices of a worker for an hour, `[stages]`. */
  readonly prices: readonly number[] | undefined;
  /** How many times as fast as where they were measured, `[stages]`. */
  readonly speeds: readonly number[];
  readonly startSeconds: number;
  readonly settings: FleetSettings;
}

export interface PlannedStage {
  /** From 1. */
  readonly stage: number;
  /** First and last; null of a stage of exit 0 alone. */
  readonly layers: readonly [number, number] | null;
  readonly exits: readonly number[];
  /** Share of the rows that enter, with its 95 % interval by the pilot. */
  readonly reach: Proportion;
  /** That enter. */
  readonly rows: number;
  /** Of one worker's inference thread, seconds for an entering row. */
  readonly rowSeconds: number;
  readonly replicas: number;
  /** Of the workers' time, 0..1. */
  readonly utilisation: number;
  /** Tokens of a batch on average, and at most. */
  readonly batchTokens: { readonly mean: number; readonly most: number };
  readonly workerHours: number;
  readonly cost: number | undefined;
}

/** `--json` of `sluice plan`. */
export interface CapacityPlan {
  readonly rows: number;
  readonly model: string;
  readonly bundle: string;
  readonly policy: Readonly<Record<string, number>>;
  readonly targetSeconds: number | undefined;
  readonly headroom: number | undefined;
  readonly finishSeconds: number;
  /** Of that: until workers take jobs; until the last chunk is given out; the rest of labelling; the merge. */
  readonly phases: {
    readonly start: number;
    readonly feed: number;
    readonly tail: number;
    readonly merge: number;
  };
  readonly rowsPerSecond: number;
  readonly stages: readonly PlannedStage[];
  readonly producers: { readonly count: number; readonly utilisation: number };
  /** That the corpus must be cut into: one for each producer, and more where a run may not have so many rows. */
  readonly runs: number;
  readonly workerHours: number;
  readonly cost: number | undefined;
  readonly costPerMillionRows: number | undefined;
  readonly redis: RedisLoad;
  /** What the producer must be told to keep such a fleet busy. */
  readonly settings: Readonly<Record<string, number>>;
  readonly workerSpeeds: readonly number[];
  readonly pilot: MeasuredPilot;
}

/** The settings of the services, as a plan takes them. @param cores of a worker, at least its threads */
export function fleetSettings(
  { producer: { feed }, worker }: Pick<Settings, 'producer' | 'worker'>,
  { threads, cores }: { readonly threads: number; readonly cores: number },
): FleetSettings {
  return {
    chunkRows: feed.chunkRows,
    chunksInFlight: feed.chunksInFlight,
    threads,
    cores,
    jobs: worker.jobs,
    batchTokens: worker.batchTokens,
    waitSeconds: worker.waitMs / 1000,
    blobBytes: worker.blobMemory * MEBIBYTE,
    redisUsedRatio: feed.redisUsedRatio,
  };
}

/** @throws PilotError, TargetError */
export function capacityPlan(
  manifest: Manifest,
  measured: MeasuredPilot,
  { feed, limits }: Pick<Settings['producer'], 'feed' | 'limits'>,
  goal: PlanGoal,
): CapacityPlan {
  const { rows, target, settings, startSeconds, speeds } = goal;
  const { pilot, times } = measured;
  const layout = layoutOf(manifest);
  const costs = measuredCosts;
  const { maxLength } = manifest;
  const loads = stageLoads({ layout, maxLength, pilot, times, costs, settings, speeds });
  const parts: PlanParts = { rows, loads, costs, settings, startSeconds, seed: SEED };
  const plan = found(parts, target);
  const stages = plan.replicas.map((_, index) => plannedStage(manifest, loads, plan, goal, index));
  const workerHours = sum(stages.map((stage) => stage.workerHours));
  const cost = goal.prices && sum(stages.map((stage) => stage.cost ?? 0));
  const { simulation } = plan;
  const text = pilot.textBytesPerRow;
  const chunkBytes = settings.chunkRows * text;
  const chunksOfRun = Math.ceil(plan.chunksInFlight / plan.producers);
  // Texts stand in their rows as well, beside other fields.
  const neededMebibytes = Math.ceil((2.5 * chunksOfRun * chunkBytes) / MEBIBYTE);
  return {
    rows,
    model: manifest.name,
    bundle: measured.bundle,
    policy: measured.policy,
    targetSeconds: 'seconds' in target ? target.seconds : undefined,
    headroom: 'seconds' in target ? target.headroom : undefined,
    finishSeconds: plan.finishSeconds,
    phases: {
      start: startSeconds,
      feed: simulation.feedSeconds,
      tail: simulation.seconds - simulation.feedSeconds,
      merge: plan.mergeSeconds,
    },
    rowsPerSecond: simulation.seconds === 0 ? 0 : rows / simulation.seconds,
    stages,
    producers: { count: plan.producers, utilisation: simulation.producerUtilisation },
    runs: Math.max(plan.producers, Math.ceil(rows / limits.rows)),
    workerHours,
    cost,
    costPerMillionRows: cost === undefined ? undefined : (cost * 1e6) / rows,
    redis: redisLoad(plan, loads, { textBytes: text, rows, costs, settings }),
    settings: {
      SLUICE_PRODUCER_FEED_CHUNKS_IN_FLIGHT: chunksOfRun,
      SLUICE_PRODUCER_FEED_BYTES_IN_FLIGHT: Math.max(feed.bytesInFlight, neededMebibytes),
      SLUICE_WORKER_THREADS: settings.threads,
    },
    workerSpeeds: speeds,
    pilot: measured,
  };
}

function found(parts: PlanParts, target: PlanGoal['target']): FleetPlan {
  if ('seconds' in target) return planFleet(parts, target.seconds * (1 - target.headroom));
  return fleetPlan(parts, target.replicas, neededProducers(parts, Infinity));
}

function plannedStage(
  { stages }: Manifest,
  loads: readonly StageLoad[],
  { replicas, simulation, finishSeconds }: FleetPlan,
  { rows, prices }: PlanGoal,
  index: number,
): PlannedStage {
  const { layers, exits } = stages[index]!;
  const { reach, lengths, tokens, batchTokens, rowSeconds } = loads[index]!;
  const { utilisation, rowsPooled } = simulation.stages[index]!;
  const workerHours = (replicas[index]! * finishSeconds) / 3600;
  const price = prices?.[index];
  return {
    stage: index + 1,
    layers,
    exits,
    reach,
    rows: Math.round(rows * reach.share),
    rowSeconds: rowSeconds(rowsPooled),
    replicas: replicas[index]!,
    utilisation,
    batchTokens: { mean: tokens / batchesPerRow(rowsPooled, lengths, batchTokens), most: batchTokens },
    workerHours,
    cost: price === undefined ? undefined : workerHours * price,
  };
}
