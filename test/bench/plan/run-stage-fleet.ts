import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import type { Bundle } from '#model/bundle/bundle.js';
import { ServiceFleet } from '../../fleet/service-fleet.js';
import { histogramOf, runOnFleet, sha256Of } from '../fleet/fleet-run.js';
import { redisCpuSeconds } from '../fleet/redis-cpu.js';
import { cpuSecondsOf, processCpuSeconds } from '../process-usage.js';
import { machineSeconds } from './machine-work.js';

/** What the workers of one stage did. */
export interface StageWork {
  readonly rows: number;
  /** Processor time of the workers, seconds. */
  readonly cpuSeconds: number;
  /** Wall time of the model, seconds. */
  readonly modelSeconds: number;
  readonly batches: number;
  readonly tokens: number;
}

/** One run of a fleet. */
export interface FleetRun {
  /** Of each stage. */
  readonly workers: number;
  readonly round: number;
  readonly rows: number;
  /** From the first chunk that is read to the last that is committed. */
  readonly seconds: number;
  /** Processor time. */
  readonly producerSeconds: number;
  readonly redisSeconds: number;
  readonly stages: readonly StageWork[];
  /** Cores that other processes left to the fleet, on average. */
  readonly cores: number;
  readonly outputSha256: string;
}

const cpuOf = (pid: number): number => cpuSecondsOf(pid) ?? 0;

/** Redis, a producer, and workers of one thread, so many for each stage. */
export async function runStageFleet(
  bundle: Bundle,
  path: string,
  speed: number,
  { workers: count, round }: { readonly workers: number; readonly round: number },
): Promise<FleetRun> {
  const fleet = await ServiceFleet.start();
  const redis = new Redis(fleet.redis.url);
  try {
    const models = dirname(bundle.directory);
    const producer = await fleet.producer({
      SLUICE_MODELS_ROOT: models,
      SLUICE_PRODUCER_INPUT_ROOT: dirname(path),
      SLUICE_PRODUCER_FEED_RECONCILE_SECONDS: '30',
    });
    const stages = await Promise.all(
      bundle.stageFiles.map((_, stage) =>
        Promise.all(
          Array.from({ length: count }, () =>
            fleet.worker({
              SLUICE_STAGES: String(stage + 1),
              SLUICE_WORKER_BUNDLE: bundle.directory,
              SLUICE_WORKER_LOCK_SECONDS: '30',
              // A plan takes every row for one that is computed.
              SLUICE_WORKER_DEDUPE_MEMORY: '0',
            }),
          ),
        ),
      ),
    );
    const measure = async (): Promise<{
      producer: number;
      redis: number;
      stages: number[];
      all: number;
      own: number;
      at: number;
    }> => ({
      producer: cpuOf(producer.pid),
      redis: await redisCpuSeconds(redis),
      stages: stages.map((each) => each.reduce((sum, { pid }) => sum + cpuOf(pid), 0)),
      all: machineSeconds(),
      own: processCpuSeconds(),
      at: performance.now() / 1000,
    });
    const before = await measure();
    const { report, id } = await runOnFleet(producer.api, {
      model: bundle.directory.slice(models.length + 1),
      speed,
      path: path.slice(dirname(path).length + 1),
    });
    const after = await measure();
    const cpu = stages.map((_, stage) => after.stages[stage]! - before.stages[stage]!);
    const producerSeconds = after.producer - before.producer;
    const redisSeconds = after.redis - before.redis;
    const fleetSeconds =
      cpu.reduce((sum, each) => sum + each, producerSeconds + redisSeconds) + after.own - before.own;
    const others = Math.max(0, after.all - before.all - fleetSeconds) / (after.at - before.at);
    return {
      workers: count,
      round,
      rows: report!.lastSession.rows,
      seconds: report!.lastSession.seconds,
      producerSeconds,
      redisSeconds,
      stages: await Promise.all(
        stages.map(async (each, stage): Promise<StageWork> => {
          const sum = async (name: string, figure: 'sum' | 'count'): Promise<number> => {
            const all = await Promise.all(each.map(({ admin }) => histogramOf(admin, name, stage + 1)));
            return all.reduce((total, found) => total + found[figure], 0);
          };
          return {
            rows: await sum('stage_rows', 'sum'),
            cpuSeconds: cpu[stage]!,
            modelSeconds: await sum('stage_seconds', 'sum'),
            batches: await sum('stage_rows', 'count'),
            tokens: await sum('stage_batch_tokens', 'sum'),
          };
        }),
      ),
      cores: Math.max(0.1, availableParallelism() - others),
      outputSha256: await sha256Of(join(fleet.folder, 'runs', id, 'output.jsonl')),
    };
  } finally {
    redis.disconnect();
    await fleet.stop();
  }
}
