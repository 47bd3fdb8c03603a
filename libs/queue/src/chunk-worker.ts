import { DelayedError, Worker } from 'bullmq';
import type { ConnectionOptions, Job } from 'bullmq';
import type { ChunkJob, ResultStore } from '#pipeline/fleet/fleet-ports.js';
import type { ResultPart } from '#pipeline/fleet/result-part.js';
import { chunkQueue, KEY_PREFIX } from './queue-keys.js';

export interface ChunkWorkerOptions {
  /** Hash of the bundle. */
  readonly bundle: string;
  /** Of this runtime. */
  readonly fingerprint: string;
  /** Jobs that are worked on side by side, so that batches are full. */
  readonly jobs: number;
  /** After which a job of a worker that is gone comes back, ms. */
  readonly lockMs: number;
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

/** A chunk is given to so many workers that die before it is left alone. */
const DEATHS = 20;
/** Until a job that is not this worker's is offered again, ms. */
const REFUSED_MS = 1000;

/** Labels the rows of a job. Off this thread, which renews the locks of the jobs. */
export type LabelJob = (job: ChunkJob) => Promise<ResultPart>;

/** Takes jobs of one bundle, labels them and stores their results. */
export class ChunkWorker {
  readonly #worker: Worker<ChunkJob>;
  readonly #label: LabelJob;
  readonly #results: ResultStore;
  readonly #options: ChunkWorkerOptions;

  constructor(
    connection: ConnectionOptions,
    results: ResultStore,
    label: LabelJob,
    options: ChunkWorkerOptions,
  ) {
    this.#results = results;
    this.#label = label;
    this.#options = options;
    const { bundle, jobs, lockMs, onTrouble } = options;
    this.#worker = new Worker<ChunkJob>(chunkQueue(bundle), (job, token) => this.#work(job, token), {
      connection,
      prefix: KEY_PREFIX,
      concurrency: jobs,
      lockDuration: lockMs,
      stalledInterval: lockMs / 2,
      maxStalledCount: DEATHS,
    });
    this.#worker.on('error', (error) => onTrouble?.(error));
    this.#worker.on('failed', (_, error) => onTrouble?.(error));
  }

  /** Finishes the jobs that it has, takes no more. */
  async close(): Promise<void> {
    await this.#worker.close();
  }

  async #work(job: Job<ChunkJob>, token: string | undefined): Promise<void> {
    if (!job.data.fingerprints.includes(this.#options.fingerprint)) {
      await job.moveToDelayed(Date.now() + REFUSED_MS, token);
      throw new DelayedError(`Chunk ${job.data.chunk} of run ${job.data.run} is for another runtime.`);
    }
    const part = await this.#label(job.data);
    await this.#results.put(job.data, part, job.data.texts.length);
  }
}
