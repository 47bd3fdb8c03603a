import type { BullmqTransport } from './bullmq-transport.js';

/** Between two questions to Redis, ms. */
const ASK_MS = 200;
/** How old an answer may be, ms. */
const FRESH_MS = 1000;

/** Whether a worker of deeper stages may still get rows to fill its batches with. */
export class ComingJobs {
  readonly #transport: Pick<BullmqTransport, 'queue'>;
  readonly #stage: number;
  readonly #timer: NodeJS.Timeout;
  #mayCome = true;
  /** When that was known, by `performance.now()`. */
  #answered = Number.NEGATIVE_INFINITY;
  #wasAsked = false;
  #isAsking = false;

  /** @param stage 0-based, the first that the worker serves */
  constructor(transport: Pick<BullmqTransport, 'queue'>, stage: number) {
    this.#transport = transport;
    this.#stage = stage;
    this.#timer = setInterval(() => void this.#ask(), ASK_MS);
  }

  /** As it was a moment ago; true as long as nothing else is known. */
  mayCome(): boolean {
    this.#wasAsked = true;
    return this.#mayCome || performance.now() - this.#answered > FRESH_MS;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Costs nothing while nobody waits. */
  async #ask(): Promise<void> {
    if (!this.#wasAsked || this.#isAsking) return;
    this.#wasAsked = false;
    this.#isAsking = true;
    try {
      this.#mayCome = await this.#anyJob();
      this.#answered = performance.now();
    } catch {
      this.#mayCome = true;
    } finally {
      this.#isAsking = false;
    }
  }

  /** A worker adds the job of its survivors before it ends its own; so in this order no job is missed on its way. */
  async #anyJob(): Promise<boolean> {
    for (let stage = 0; stage < this.#stage; stage += 1) {
      const counts = await this.#transport.queue(stage).getJobCounts('waiting', 'prioritized', 'active');
      if (Object.values(counts).some((jobs) => jobs > 0)) return true;
    }
    const own = await this.#transport.queue(this.#stage).getJobCounts('waiting', 'prioritized');
    return Object.values(own).some((jobs) => jobs > 0);
  }
}
