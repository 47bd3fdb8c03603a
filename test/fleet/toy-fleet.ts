/** Both ends of a fleet over the toy ports and a real queue. */
import { FleetLabeller } from '#pipeline/fleet/fleet-labeller.js';
import type { ResultPart } from '#pipeline/fleet/result-part.js';
import { sum } from '#pipeline/report/counts.js';
import { BullmqTransport } from '#queue/bullmq-transport.js';
import { ChunkWorker } from '#queue/chunk-worker.js';
import { connectRedis } from '#queue/redis-connection.js';
import { RedisResultStore } from '#queue/redis-result-store.js';
import type { ChunkJob } from '#pipeline/fleet/fleet-ports.js';
import { ToyLabeller, ToyTokenizer, toyLabels } from '../toy-ports.js';

export const toyBundle = 'b'.repeat(64);
const FINGERPRINT = 'toy';
/** Short, so that what died is missed soon. */
const LOCK_MS = 2000;

export interface OpenFleet {
  readonly labeller: FleetLabeller;
  /** Chunks that were given to the queue once more. */
  readonly retried: readonly number[];
  close(): Promise<void>;
}

let epochs = 0;

export function openFleet(
  url: string,
  run: string,
  { fingerprints = [FINGERPRINT], attempts = 10 } = {},
): OpenFleet {
  const redis = connectRedis(url);
  redis.on('error', () => undefined);
  const retried: number[] = [];
  const transport = new BullmqTransport(redis, toyBundle);
  const results = new RedisResultStore(redis);
  const labeller = new FleetLabeller(transport, results, {
    run,
    classes: toyLabels.length,
    policy: {},
    fingerprints,
    nextEpoch: () => (epochs += 1),
    reconcileMs: 300,
    attempts,
    onRetry: (chunk) => retried.push(chunk),
  });
  return {
    labeller,
    retried,
    async close() {
      await labeller.close();
      results.close();
      await transport.close();
      redis.disconnect();
    },
  };
}

export interface ToyWorker {
  /** Jobs that it began. */
  readonly begun: () => number;
  close(): Promise<void>;
}

/** @param pauseMs that a job takes */
export function openToyWorker(
  url: string,
  { pauseMs = 0, fingerprint = FINGERPRINT, bundle = toyBundle, label = labelToy } = {},
): ToyWorker {
  const redis = connectRedis(url);
  redis.on('error', () => undefined);
  let begun = 0;
  const worker = new ChunkWorker(
    redis,
    new RedisResultStore(redis),
    (job) => {
      begun += 1;
      return label(job, pauseMs);
    },
    { bundle, fingerprint, jobs: 4, lockMs: LOCK_MS },
  );
  return {
    begun: () => begun,
    async close() {
      await worker.close();
      redis.disconnect();
    },
  };
}

async function labelToy({ texts }: ChunkJob, pauseMs: number): Promise<ResultPart> {
  const tokens = await new ToyTokenizer().tokenize(texts);
  return {
    rows: Int32Array.from(texts.keys()),
    labels: await new ToyLabeller(() => pauseMs).label(tokens),
    tokens: tokens.ids.length,
    truncated: sum(tokens.truncated),
  };
}
