import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisConnection } from '#queue/redis-connection.js';
import { usedRatio } from '#queue/redis-connection.js';
import { ApiError } from './api-errors.js';

const LOOK_EVERY_MS = 1000;
/** While Redis does not answer. */
const LOOK_AGAIN_MS = 100;
const RETRY_AFTER_S = 10;

/** Whether Redis takes more work: it answers, and its memory is not too full. */
export class QueuePressure {
  readonly #redis: RedisConnection;
  readonly #most: number;
  readonly #stop = new AbortController();
  #ratio: number | undefined;

  private constructor(redis: RedisConnection, most: number) {
    this.#redis = redis;
    this.#most = most;
  }

  /**
   * Once Redis answers: who starts with it refuses nothing for want of a first look.
   * @param redis a connection that fails soon
   * @param most share of Redis' memory above which nothing is given out
   */
  static async open(redis: RedisConnection, most: number): Promise<QueuePressure> {
    const pressure = new QueuePressure(redis, most);
    await pressure.#look();
    while (pressure.#ratio === undefined) {
      await sleep(LOOK_AGAIN_MS);
      await pressure.#look();
    }
    void pressure.#watch();
    return pressure;
  }

  /** Share of Redis' memory in use; undefined while it does not answer. */
  get ratio(): number | undefined {
    return this.#ratio;
  }

  /** Waits until there is room for more. @throws the signal's reason */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#ratio === undefined || this.#ratio >= this.#most) {
      await sleep(LOOK_EVERY_MS / 4, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /**
   * Runs that are taken wait where nothing is given out; and texts that somebody waits for are few. So more may be taken, up to
   * half of the memory that is left there.
   * @throws ApiError while there is no room
   */
  expectRoom(): void {
    if (this.#ratio === undefined) {
      throw new ApiError(503, 'queue-unavailable', 'Redis does not answer. Try again.', RETRY_AFTER_S);
    }
    if (this.#ratio >= (1 + this.#most) / 2) {
      throw new ApiError(503, 'queue-full', 'Redis has no room for more work now. Try again.', RETRY_AFTER_S);
    }
  }

  close(): void {
    this.#stop.abort();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const pause = this.#ratio === undefined ? LOOK_AGAIN_MS : LOOK_EVERY_MS;
      await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    this.#ratio = await usedRatio(this.#redis).catch(() => undefined);
  }
}
