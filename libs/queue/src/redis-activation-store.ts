import { setTimeout as sleep } from 'node:timers/promises';
import type { ActivationStore } from '#pipeline/fleet/fleet-ports.js';
import type { RedisConnection } from './redis-connection.js';
import { usedRatio } from './redis-connection.js';

/** Longer than any stage lets a job wait; what is forgotten is computed again. */
const KEPT_MS = 60 * 60 * 1000;
/** Share of the memory above which no more rows enter; below that from which on a producer gives out no more work. */
const ROOM_BELOW = 0.4;
/** So long is waited until what was let in has room. */
const WAIT_MS = 60_000;
const LOOK_MS = 500;

/** Activations in a Redis that may evict them. */
export class RedisActivationStore implements ActivationStore {
  readonly #redis: RedisConnection;

  /** @param redis is not closed by the store */
  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** One that evicts makes room by itself, and what it evicts is computed again. */
  async hasRoom(): Promise<boolean> {
    return (await usedRatio(this.#redis, 'keeps-all')) <= ROOM_BELOW;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const until = performance.now() + WAIT_MS;
    for (;;) {
      try {
        await this.#redis.set(key, value, 'PX', KEPT_MS);
        return;
      } catch (error) {
        if (!isFull(error) || performance.now() > until) throw error;
      }
      await sleep(LOOK_MS);
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.#redis.getBuffer(key)) ?? undefined;
  }

  async drop(key: string): Promise<void> {
    await this.#redis.unlink(key);
  }
}

const isFull = (error: unknown): boolean => error instanceof Error && error.message.startsWith('OOM ');
