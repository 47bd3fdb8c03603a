import { sum } from '#pipeline/report/counts.js';
import type { FleetCosts } from './fleet-costs.js';
import type { FleetSettings } from './fleet-settings.js';
import type { FleetPlan } from './plan-fleet.js';
import type { StageLoad } from './stage-load.js';

/** What Redis holds at most, and how busy it is. */
export interface RedisLoad {
  /** Texts, token ids and results on their way. */
  readonly queueBytes: number;
  /** Activations on their way; bytes that may be in a Redis of their own, which may evict them. */
  readonly activationBytes: number;
  /** `maxmemory` with which the producer never waits for room. */
  readonly queueMaxMemory: number;
  readonly activationMaxMemory: number;
  /** Bytes of activations a second, in and as many out. */
  readonly activationBytesPerSecond: number;
  /** Of one core that runs the queues' and the activations' Redis, 0..1 and more. */
  readonly utilisation: number;
}

/** Of a row, in the queue or among the results, beside its text: JSON, its label, probabilities, uncertainty. */
const ROW_BYTES = 40;
/** Token ids as base64 of four bytes each. */
const TOKEN_BYTES = 16 / 3;
/** Of a job in BullMQ's hashes and lists. */
const JOB_BYTES = 4096;
/** Redis itself, its clients' buffers, and what allocators leave unused. */
const BASE_BYTES = 64 * 2 ** 20;
const MARGIN = 1.3;

/** @param textBytes of a row */
export function redisLoad(
  { simulation, chunksInFlight }: FleetPlan,
  loads: readonly StageLoad[],
  {
    textBytes,
    rows,
    costs,
    settings,
  }: {
    readonly textBytes: number;
    readonly rows: number;
    readonly costs: FleetCosts;
    readonly settings: FleetSettings;
  },
): RedisLoad {
  const { stages, seconds, chunksMost } = simulation;
  const texts = stages[0]!.rowsMost * (textBytes + ROW_BYTES);
  const results = chunksMost * settings.chunkRows * ROW_BYTES;
  const tokens = sum(
    loads.slice(1).map((load, index) => stages[index + 1]!.rowsMost * load.tokens * TOKEN_BYTES),
  );
  const jobs = chunksInFlight * loads.length * JOB_BYTES;
  const queueBytes = texts + results + tokens + jobs;
  const activationBytes = sum(loads.map((load, index) => stages[index]!.rowsMost * load.activationBytes));
  const carried = rows * sum(loads.map((load) => load.reach.share * load.activationBytes));
  const visits = rows * sum(loads.map((load) => load.reach.share));
  return {
    queueBytes,
    activationBytes,
    queueMaxMemory: roundUp((MARGIN * (BASE_BYTES + queueBytes)) / settings.redisUsedRatio),
    activationMaxMemory: loads.length === 1 ? 0 : roundUp(MARGIN * (BASE_BYTES + activationBytes)),
    activationBytesPerSecond: seconds === 0 ? 0 : carried / seconds,
    utilisation:
      seconds === 0 ? 0 : (visits * costs.redisRowSeconds + carried * costs.redisByteSeconds) / seconds,
  };
}

/** To a quarter of a GiB. */
function roundUp(bytes: number): number {
  const quarter = 2 ** 28;
  return Math.ceil(bytes / quarter) * quarter;
}
