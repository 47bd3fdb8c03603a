import { DelayedError, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import type { RedisConnection } from './redis-connection.js';
import type { StageJob } from '#pipeline/fleet/fleet-ports.js';
import { jobSlots, URGENT_SLOTS } from '#pipeline/fleet/job-slots.js';
import type { JobData } from './job-data.js';
import { unpackJob } from './job-data.js';
import { KEY_PREFIX, stageQueue } from './queue-keys.js';
import { stalledInterval } from './stalled-interval.js';

export interface StageWorkerOptions {
  /** Hash of the bundle. */
  readonly bundle: string;
  /** 0-based, whose jobs it takes. */
  readonly stages: readonly number[];
  /** Of this runtime. */
  readonly fingerprint: string;
  /** Jobs of the first stage that are worked on side by side, so that batches are full; of others, more. */
  readonly jobs: number;
  /** After which a job of a worker that is gone comes back, ms. */
  readonly lockMs: number;
  /** Lets go of a job for another runtime, where nobody waits for it: there may be no worker that has that one. @returns whether it did */
  readonly dropUnwanted: (job: StageJob) => Promise<boolean>;
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** A job is given to so many workers that die before it is left alone. */
const DEATHS = 20;
/** A job that so many workers died with may be the cause. */
const SUSPECT_DEATHS = 2;
/** Until a job that is not this worker's is offered again, ms. */
const REFUSED_MS = 1000;

/**
 * Works on a job, off this thread, which renews the locks of the jobs.
 * @param isSuspect whether workers died with it
 * @param signal aborts when the job is no longer this worker's
 */
export type WorkOnJob = (job: StageJob, isSuspect: boolean, signal: AbortSignal) => Promise<unknown>;

/** Takes the jobs of some stages of one bundle and has them worked on. */
export class StageWorker {
  readonly #workers: readonly Worker<JobData>[];
  readonly #work: WorkOnJob;
  readonly #options: StageWorkerOptions;
  /** Jobs that it has, by the name of their queue. */
  readonly #active = new Map<string, number>();
  #moved = performance.now();
  #handsBack = false;

  /** @param redis is not closed by the worker */
  constructor(redis: RedisConnection, work: WorkOnJob, options: StageWorkerOptions) {
    this.#work = work;
    this.#options = options;
    const { bundle, stages, jobs, lockMs, onTrouble } = options;
    const queues = stages.flatMap((stage) => [
      { name: stageQueue(bundle, stage, false), slots: jobSlots(stage, jobs) },
      { name: stageQueue(bundle, stage, true), slots: URGENT_SLOTS },
    ]);
    this.#workers = queues.map(({ name, slots }) => {
      const worker = new Worker<JobData>(name, (job, token, signal) => this.#take(job, token, signal), {
        connection: redis,
        prefix: KEY_PREFIX,
        concurrency: slots,
        lockDuration: lockMs,
        stalledInterval: stalledInterval(lockMs),
        maxStalledCount: DEATHS,
      });
      worker.on('error', (error) => onTrouble?.(error));
      worker.on('failed', (_, error) => onTrouble?.(error));
      worker.on('lockRenewalFailed', (ids) => {
        for (const id of ids) worker.cancelJob(id, 'its lock was lost');
      });
      return worker;
    });
  }

  /** Says that work goes on, between the begin and the end of jobs. */
  moved(): void {
    this.#moved = performance.now();
  }

  /** Jobs that it has. */
  get active(): number {
    return [...this.#active.values()].reduce((sum, jobs) => sum + jobs, 0);
  }

  /** Whether it takes further jobs, of those that nobody waits for, while it works on those that it has. */
  get takesMore(): boolean {
    const { bundle, stages, jobs } = this.#options;
    return stages.some((stage) => this.#activeOf(stageQueue(bundle, stage, false)) < jobSlots(stage, jobs));
  }

  /** When work last went on, by `performance.now()`. */
  get lastMoved(): number {
    return this.#moved;
  }

  /** Takes no more jobs, and finishes those that it has within `ms`; what is left then is given back to the queue. */
  async close(ms = Infinity): Promise<void> {
    const closing = Promise.all(this.#workers.map((worker) => worker.close()));
    const handBack = (): void => {
      this.#handsBack = true;
      for (const worker of this.#workers) worker.cancelAllJobs('the worker stops');
    };
    const timer = ms === Infinity ? undefined : setTimeout(handBack, ms);
    await closing;
    clearTimeout(timer);
  }

  #activeOf(queue: string): number {
    return this.#active.get(queue) ?? 0;
  }

  async #take(job: Job<JobData>, token: string | undefined, signal?: AbortSignal): Promise<void> {
    if (!job.data.fingerprints.includes(this.#options.fingerprint)) {
      if (await this.#options.dropUnwanted(unpackJob(job.data))) return;
      await job.moveToDelayed(Date.now() + REFUSED_MS, token);
      throw new DelayedError(`Chunk ${job.data.chunk} of run ${job.data.run} is for another runtime.`);
    }
    const { queueName } = job;
    this.#active.set(queueName, this.#activeOf(queueName) + 1);
    this.#moved = performance.now();
    try {
      const isSuspect = job.stalledCounter >= SUSPECT_DEATHS;
      await this.#work(unpackJob(job.data), isSuspect, signal ?? new AbortController().signal);
    } catch (error) {
      if (!this.#handsBack) throw error;
      await job.moveToDelayed(Date.now(), token);
      throw new DelayedError(`Chunk ${job.data.chunk} of run ${job.data.run} was given back.`);
    } finally {
      this.#active.set(queueName, this.#activeOf(queueName) - 1);
      this.#moved = performance.now();
    }
  }
}
