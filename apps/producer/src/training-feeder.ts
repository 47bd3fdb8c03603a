import { setTimeout as sleep } from 'node:timers/promises';
import type { Metrics } from '#metrics/metrics.js';
import type { TrainingQueue } from '#queue/training-queue.js';
import type { TrainingFolders } from '#training/job/training-folders.js';

/** An upload that was broken off is forgotten then, ms. */
const LEFT_MS = 24 * 60 * 60 * 1000;

/** Gives out trainings whose jobs are not there, as after Redis lost them; those that are there are not added again. */
export class TrainingFeeder {
  readonly #folders: TrainingFolders;
  readonly #queue: TrainingQueue;
  readonly #metrics: Metrics;
  readonly #everyMs: number;
  readonly #stop = new AbortController();
  #looking: Promise<void> = Promise.resolve();

  /** @param everyMs between two looks */
  constructor(folders: TrainingFolders, queue: TrainingQueue, metrics: Metrics, everyMs: number) {
    this.#folders = folders;
    this.#queue = queue;
    this.#metrics = metrics;
    this.#everyMs = everyMs;
  }

  start(): void {
    this.#looking = this.#lookOn();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  async #lookOn(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      // Redis may be away: the next look finds what this one could not give out.
      await this.#look().catch(() => undefined);
      await sleep(this.#everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    await this.#folders.sweep(Date.now() - LEFT_MS);
    const counts = { waiting: 0, running: 0 };
    const underWay: string[] = [];
    for (const id of await this.#folders.ids()) {
      const phase = (await this.#folders.state(id).catch(() => undefined))?.phase;
      if (phase !== 'waiting' && phase !== 'running') continue;
      counts[phase] += 1;
      underWay.push(id);
    }
    for (const [state, count] of Object.entries(counts)) this.#metrics.set('trainings', { state }, count);
    for (const id of underWay) await this.#queue.add(id);
  }
}
