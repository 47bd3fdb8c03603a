import type { Queue } from 'bullmq';
import { BullmqTransport } from '#queue/bullmq-transport.js';
import type { RedisConnection } from '#queue/redis-connection.js';

/** The queues of all bundles, to look at. */
export class StageQueues {
  readonly #redis: RedisConnection;
  readonly #transports = new Map<string, BullmqTransport>();

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Of a stage, that of runs and that of texts that somebody waits for. @param bundle its hash @param stage 0-based */
  of(bundle: string, stage: number): readonly [Queue, Queue] {
    const transport = this.#transports.get(bundle) ?? new BullmqTransport(this.#redis, bundle);
    this.#transports.set(bundle, transport);
    return [transport.queue(stage), transport.queue(stage, true)];
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#transports.values(), (transport) => transport.close()));
  }
}
