import type { RedisConnection } from './redis-connection.js';
import type { ActivationStore } from '#pipeline/fleet/fleet-ports.js';

/** Longer than any stage lets a job wait; what is forgotten is computed again. */
const KEPT_MS = 60 * 60 * 1000;

/** Activations in a Redis that may evict them. */
export class RedisActivationStore implements ActivationStore {
  readonly #redis: RedisConnection;

  /** @param redis is not closed by the store */
  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#redis.set(key, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 'PX', KEPT_MS);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.#redis.getBuffer(key)) ?? undefined;
  }

  async drop(key: string): Promise<void> {
    await this.#redis.unlink(key);
  }
}
