/** Both ends of a fleet over the toy ports and a real queue. */
import { StageFailedError } from '#pipeline/engine/stage-engine.js';
import { activationBudgets } from '#pipeline/fleet/activation-budgets.js';
import { FleetLabeller } from '#pipeline/fleet/fleet-labeller.js';
import type { ActivationStore, Added, StageJob } from '#pipeline/fleet/fleet-ports.js';
import type { FeederStep, WorkerStep } from '#pipeline/fleet/fleet-steps.js';
import type { StageRows } from '#pipeline/fleet/policy-engines.js';
import { PolicyEngines } from '#pipeline/fleet/policy-engines.js';
import { QuarantineProcess } from '#pipeline/fleet/quarantine-process.js';
import { RememberingStages } from '#pipeline/fleet/remembering-stages.js';
import { RowMemories } from '#pipeline/fleet/row-memories.js';
import { dropUnwanted, workOnJob } from '#pipeline/fleet/work-on-job.js';
import { BullmqTransport } from '#queue/bullmq-transport.js';
import type { Redis } from 'ioredis';
import type { RedisConnection, RedisPlace } from '#queue/redis-connection.js';
import { connectRedis } from '#queue/redis-connection.js';
import { RedisActivationStore } from '#queue/redis-activation-store.js';
import { RedisResultStore } from '#queue/redis-result-store.js';
import { StageWorker } from '#queue/stage-worker.js';
import { ToyTokenizer, toyLabels } from '../toy-ports.js';
import { ToyStages, toyLayout } from './toy-stages.js';

export const toyBundle = 'b'.repeat(64);
const FINGERPRINT = 'toy';
/** Short, so that what died is missed soon. */
export const LOCK_MS = 1000;
const LAST_STAGE = toyLayout.stages.length - 1;
/** Small, so that the survivors of a chunk are several jobs. */
const BLOB_BYTES = 400;
/** Of the rows that a worker remembers. */
const MEMORY_BYTES = 2 ** 16;

export interface OpenFleet {
  readonly labeller: FleetLabeller;
  /** Chunks that were given to the queue once more. */
  readonly retried: readonly number[];
  close(): Promise<void>;
}

interface FleetOptions {
  /** Of the commands to Redis, so many are done and then answered with an error. */
  readonly flaky?: number | undefined;
  readonly fingerprints?: readonly string[] | undefined;
  readonly attempts?: number | undefined;
  readonly nextEpoch?: (() => number) | undefined;
  /** Whether somebody waits for its rows. */
  readonly urgent?: boolean | undefined;
  readonly onStep?: ((step: FeederStep) => void) | undefined;
}

let epochs = 0;

export function openFleet(place: RedisPlace, run: string, options: FleetOptions = {}): OpenFleet {
  const { fingerprints = [FINGERPRINT], attempts = 10, nextEpoch = () => (epochs += 1) } = options;
  const { urgent, onStep } = options;
  const redis = connectRedis(place);
  redis.on('error', () => undefined);
  if (options.flaky !== undefined) makeFlaky(redis, options.flaky);
  const retried: number[] = [];
  const transport = new BullmqTransport(redis, toyBundle);
  const results = new RedisResultStore(redis);
  const labeller = new FleetLabeller(transport, results, {
    run,
    classes: toyLabels.length,
    policy: {},
    fingerprints,
    nextEpoch,
    reconcileMs: 300,
    attempts,
    urgent,
    onRetry: (chunk) => retried.push(chunk),
    onStep,
  });
  return {
    labeller,
    retried,
    async close() {
      const closed = labeller.close();
      results.close();
      await closed;
      await transport.close();
      redis.disconnect();
    },
  };
}

export interface ToyWorkerOptions {
  /** 0-based; all unless told. */
  readonly stages?: readonly [first: number, last: number] | undefined;
  /** That a stage takes. */
  readonly pauseMs?: number | undefined;
  readonly fingerprint?: string | undefined;
  readonly bundle?: string | undefined;
  /** Fails every job, whatever its rows. */
  readonly isBroken?: boolean | undefined;
  /** Rows that nobody waits for stand still until then. */
  readonly holds?: Promise<void> | undefined;
  /** Of the commands to Redis, so many are done and then answered with an error. */
  readonly flaky?: number | undefined;
  /** Where it keeps activations. */
  readonly store?: ((redis: RedisConnection) => ActivationStore) | undefined;
  /** So many times, a job of survivors cannot be given to the queue. */
  readonly failsToAdd?: number | undefined;
  /** So many times, activations that it asks for are not there. */
  readonly loses?: number | undefined;
  /** Works on every job two times at once, as two workers do that both hold it to be theirs. */
  readonly isTwice?: boolean | undefined;
  /** Takes every job for one that workers died with. */
  readonly suspectsAll?: boolean | undefined;
  /** The script that labels suspect rows. */
  readonly quarantine?: string | undefined;
  readonly onStep?: ((step: WorkerStep) => void) | undefined;
  /** After which jobs of a worker that died come back. */
  readonly lockMs?: number | undefined;
  /** In a process of its own: whether it writes each step to standard output. */
  readonly tellsSteps?: boolean | undefined;
}

export interface ToyWorker {
  /** Jobs that it began, by stage. */
  readonly begun: readonly number[];
  /** Rows whose activations were lost, by reason. */
  readonly recomputed: ReadonlyMap<string, number>;
  /** Jobs that were tried by themselves. */
  readonly suspects: () => number;
  readonly troubles: readonly unknown[];
  /** @param ms after which jobs that it has go back to the queue */
  close(ms?: number): Promise<void>;
}

export function openToyWorker(place: RedisPlace, options: ToyWorkerOptions = {}): ToyWorker {
  const { stages: [first, last] = [0, LAST_STAGE], pauseMs = 0, isBroken = false } = options;
  const { fingerprint = FINGERPRINT, bundle = toyBundle, quarantine = 'none', loses = 0, onStep } = options;
  const redis = connectRedis(place);
  redis.on('error', () => undefined);
  if (options.flaky !== undefined) makeFlaky(redis, options.flaky);
  const begun = toyLayout.stages.map(() => 0);
  const recomputed = new Map<string, number>();
  const troubles: unknown[] = [];
  let suspects = 0;
  const transport = new FailingTransport(redis, bundle, options.failsToAdd ?? 0);
  const suspect = new QuarantineProcess({ script: quarantine, args: [], timeoutMs: 10_000 });
  const stages = new ToyStages(last, pauseMs);
  const memories = new RowMemories(MEMORY_BYTES, toyLabels.length);
  const parts = {
    layout: toyLayout,
    lastStage: last,
    tokenizer: new ToyTokenizer(),
    engines: new PolicyEngines(() => {
      if (isBroken) throw new Error('no model');
      const running: StageRows = {
        run: async (input) => {
          if (input.urgent !== true) await options.holds;
          return stages.run(input).catch((error: unknown) => {
            throw new StageFailedError(0, 1, 1, error);
          });
        },
      };
      return new RememberingStages(running, memories, toyLabels.length, () => undefined);
    }),
    transport,
    results: new RedisResultStore(redis),
    activations: options.store?.(redis) ?? new ForgetfulStore(redis, loses),
    budgets: activationBudgets(10 * BLOB_BYTES, BLOB_BYTES),
    blobBytes: BLOB_BYTES,
    tryRows: suspect.tryRows.bind(suspect),
    onRetry: (reason: string, rows: number) => recomputed.set(reason, (recomputed.get(reason) ?? 0) + rows),
    onSuspect: () => (suspects += 1),
    onStep,
  };
  const worker = new StageWorker(
    redis,
    async (job, isSuspect, signal) => {
      begun[job.stage]! += 1;
      const times = options.isTwice === true ? [1, 2] : [1];
      await Promise.all(
        times.map(() => workOnJob(job, isSuspect || options.suspectsAll === true, parts, signal)),
      );
    },
    {
      bundle,
      stages: Array.from({ length: last - first + 1 }, (_, index) => first + index),
      fingerprint,
      jobs: 4,
      lockMs: options.lockMs ?? LOCK_MS,
      dropUnwanted: (job) => dropUnwanted(job, parts),
      onTrouble: (error) => troubles.push(error),
    },
  );
  return {
    begun,
    recomputed,
    troubles,
    suspects: () => suspects,
    async close(ms) {
      await worker.close(ms);
      suspect.close();
      await transport.close();
      redis.disconnect();
    },
  };
}

class FailingTransport extends BullmqTransport {
  #left: number;

  constructor(redis: RedisConnection, bundle: string, fails: number) {
    super(redis, bundle);
    this.#left = fails;
  }

  override add(job: StageJob): Promise<Added> {
    this.#left -= 1;
    return this.#left >= 0 ? Promise.reject(new Error('OOM command not allowed')) : super.add(job);
  }
}

class ForgetfulStore extends RedisActivationStore {
  #left: number;

  constructor(redis: ReturnType<typeof connectRedis>, loses: number) {
    super(redis);
    this.#left = loses;
  }

  override async get(key: string): Promise<Uint8Array | undefined> {
    this.#left -= 1;
    return this.#left >= 0 ? undefined : super.get(key);
  }
}

/** Every so many-th command, by chance of a fixed seed, is done and then answered with an error. */
function makeFlaky(redis: ReturnType<typeof connectRedis>, share: number): void {
  const send: Redis['sendCommand'] = redis.sendCommand.bind(redis);
  let seed = 1;
  const flaky: Redis['sendCommand'] = (command, stream) => {
    const answer = Promise.resolve(send(command, stream)).then((value: unknown) => {
      seed = (seed * 48_271) % 2_147_483_647;
      if (seed / 2_147_483_647 < share) throw new Error('Done, and then an error.');
      return value;
    });
    // Those of a pipeline nobody waits for one by one.
    answer.catch(() => undefined);
    return answer;
  };
  redis.sendCommand = flaky;
}
