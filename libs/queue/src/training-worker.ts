import type { Job } from 'bullmq';
import { DelayedError, Worker } from 'bullmq';
import { KEY_PREFIX } from './queue-keys.js';
import type { RedisConnection } from './redis-connection.js';
import { stalledInterval } from './stalled-interval.js';
import type { TrainingJob } from './training-queue.js';
import { TRAINING_QUEUE } from './training-queue.js';

export interface TrainingWorkerOptions {
  /** After which a training of a trainer that is gone comes back, ms. */
  readonly lockMs: number;
  readonly onTrouble: (error: unknown) => void;
}

/** Why work on a training is to end here. */
export type EndReason = 'lock-lost' | 'trainer-stops';

/**
 * Works on a training until it is over.
 * @param signal aborts, with an EndReason, when the training is no longer this trainer's, or the trainer stops
 * @returns `again` where another trainer, or this one, is to go on with it
 */
export type WorkOnTraining = (id: string, signal: AbortSignal) => Promise<'over' | 'again'>;

/** A training is given to so many trainers that die before the queue lets it be; its folder counts them, too. */
const DEATHS = 1000;
/** Until a training is offered again, ms. */
const AGAIN_MS = 1000;

/** Takes one training at a time. */
export class TrainingWorker {
  readonly #worker: Worker<TrainingJob>;
  readonly #work: WorkOnTraining;
  readonly #watching: NodeJS.Timeout;
  #active: { readonly id: string; readonly stop: AbortController } | undefined;
  #renewed = performance.now();
  #isClosing = false;

  /** @param redis is not closed by the worker */
  constructor(redis: RedisConnection, work: WorkOnTraining, { lockMs, onTrouble }: TrainingWorkerOptions) {
    this.#work = work;
    this.#worker = new Worker<TrainingJob>(TRAINING_QUEUE, (job, token) => this.#take(job, token), {
      connection: redis,
      prefix: KEY_PREFIX,
      concurrency: 1,
      lockDuration: lockMs,
      stalledInterval: stalledInterval(lockMs),
      maxStalledCount: DEATHS,
    });
    this.#worker.on('error', onTrouble);
    this.#worker.on('failed', (_, error) => onTrouble(error));
    this.#worker.on('lockRenewalFailed', (ids) => {
      if (this.#active !== undefined && ids.includes(this.#active.id)) this.#end('lock-lost');
    });
    this.#worker.on('locksRenewed', () => (this.#renewed = performance.now()));
    // Cut off from Redis nobody says that the lock ran out: another trainer may have the training by now.
    this.#watching = setInterval(() => {
      if (performance.now() - this.#renewed > lockMs) this.#end('lock-lost');
    }, lockMs / 4);
    this.#watching.unref();
  }

  /** The training that it has. */
  get active(): string | undefined {
    return this.#active?.id;
  }

  /** Takes no more, and gives back what it has once its checkpoint is written. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#end('trainer-stops');
    await this.#worker.close();
    clearInterval(this.#watching);
  }

  #end(reason: EndReason): void {
    this.#active?.stop.abort(reason);
  }

  async #take(job: Job<TrainingJob>, token: string | undefined): Promise<void> {
    const { id } = job.data;
    const stop = new AbortController();
    this.#active = { id, stop };
    this.#renewed = performance.now();
    if (this.#isClosing) this.#end('trainer-stops');
    try {
      if ((await this.#work(id, stop.signal)) === 'over') return;
    } finally {
      this.#active = undefined;
    }
    await job.moveToDelayed(Date.now() + AGAIN_MS, token);
    throw new DelayedError(`Training ${id} was given back.`);
  }
}
