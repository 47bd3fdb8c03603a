import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { ActivationsFullError } from '#pipeline/fleet/activations-full-error.js';
import type { ActivationStore, WhileFull } from '#pipeline/fleet/fleet-ports.js';
import type { RedisConnection } from './redis-connection.js';
import { memoryUse } from './redis-connection.js';

/** Longer than any stage lets a job wait; what is forgotten is computed again. */
const KEPT_MS = 60 * 60 * 1000;
/**
 * Share of the memory up to which rows enter. More than that up to which producers fill a Redis with texts, else texts alone
 * would shut them out; less than all, since deeper stages leave activations before they drop those that they had.
 */
const ROOM_BELOW = 0.7;
/** Share up to which what was refused is sent again: while it is on its way it takes memory, too. */
const SENT_BELOW = 0.9;
/** So long is waited until what was let in has room. */
const WAIT_MS = 60_000;
const LOOK_MS = 500;

/** Activations in a Redis. One that evicts makes room by itself, and what it evicts is computed again. */
export class RedisActivationStore implements ActivationStore {
  readonly #redis: RedisConnection;

  /** @param redis is not closed by the store */
  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  hasRoom(bytes: number): Promise<boolean> {
    return this.#answered(() => this.#fits(bytes, ROOM_BELOW));
  }

  async put(key: string, bytes: Uint8Array, whileFull?: WhileFull): Promise<void> {
    const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const until = performance.now() + WAIT_MS;
    let isFirst = true;
    for (;;) {
      try {
        await this.#answered(() => this.#redis.set(key, value, 'PX', KEPT_MS));
        return;
      } catch (error) {
        if (!isFull(error)) throw error;
        // What nobody waits for any more is another's to drop.
        if (isFirst && whileFull?.signal.aborted !== true) await whileFull?.makeRoom();
        isFirst = false;
        do {
          if (performance.now() > until || whileFull?.signal.aborted === true)
            throw new ActivationsFullError(bytes.length, error);
          await sleep(LOOK_MS);
        } while (!(await this.#answered(() => this.#fits(bytes.length, SENT_BELOW))));
      }
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.#answered(() => this.#redis.getBuffer(key))) ?? undefined;
  }

  async drop(key: string): Promise<void> {
    await this.#answered(() => this.#redis.unlink(key));
  }

  async #fits(bytes: number, share: number): Promise<boolean> {
    const servers = await memoryUse(this.#redis);
    return servers.every(({ used, most, evicts }) => evicts || most === 0 || used + bytes <= share * most);
  }

  /** A single server that is away lets who asks wait; a cluster that is away answers with errors. */
  async #answered<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!(this.#redis instanceof Cluster) || this.#redis.status === 'end' || isAnswer(error)) throw error;
        await sleep(LOOK_MS);
      }
    }
  }
}

const isFull = (error: unknown): boolean => error instanceof Error && error.message.startsWith('OOM ');

/** Whether a server said so, of itself and not of the cluster. */
const isAnswer = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ReplyError' && !error.message.startsWith('CLUSTERDOWN ');
