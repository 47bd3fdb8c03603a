import type { CorpusChunk, ChunkLabeller, LabelledRows } from '../ports.js';
import { orAborted } from '../in-flight.js';
import type { ByteBudget } from './byte-budget.js';
import type { ResultStore, StageJob, StageTransport } from './fleet-ports.js';
import type { FeederStep } from './fleet-steps.js';
import { heldBytes } from './held-bytes.js';
import { joinParts } from './join-parts.js';
import { ResultPartError } from './result-part.js';

export interface FleetLabellerOptions {
  readonly run: string;
  /** Of the bundle. */
  readonly classes: number;
  readonly policy: StageJob['policy'];
  readonly fingerprints: StageJob['fingerprints'];
  /** Gives a number that no attempt of the run has had, whatever died since. */
  readonly nextEpoch: () => number;
  /** How often a chunk without a live job is looked for, ms. */
  readonly reconcileMs: number;
  /** Bounds the chunks that wait for their labels. */
  readonly budget?: ByteBudget | undefined;
  /** Absent, chunks are given out at once; else they wait for it, such as for room in the queue. */
  readonly gate?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Of the jobs, lower is sooner. */
  readonly priority?: number | undefined;
  /** Whether rows do not wait for full batches: somebody waits for them. */
  readonly urgent?: boolean | undefined;
  /** How often a chunk may come to nothing before the run ends with an error. */
  readonly attempts: number;
  /** Hears of a chunk that is given to the queue once more, because its job was lost. */
  readonly onRetry?: ((chunk: number) => void) | undefined;
  /** Hears of an error of the queue or the store; they are tried again. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
  /** Hears each step as it is reached. It may not return. */
  readonly onStep?: ((step: FeederStep) => void) | undefined;
}

interface Waiting {
  readonly chunk: CorpusChunk;
  /** Of its latest job. */
  epoch: number;
  attempts: number;
  /** Its job is on the way to the queue. */
  isGiving: boolean;
  readonly resolve: (rows: LabelledRows) => void;
  readonly reject: (error: unknown) => void;
}

/** The fleet gave no results of a chunk, again and again. */
export class ChunkLostError extends Error {
  override readonly name = 'ChunkLostError';

  constructor(
    readonly run: string,
    readonly chunk: number,
    readonly attempts: number,
  ) {
    super(
      `Chunk ${chunk} of run ${run} was given to the workers ${attempts} times and came back without results. ` +
        'Look into the log of the workers, then resume the run.',
    );
  }
}

/** Between attempts to reach a queue that does not answer, ms. */
const RETRY_MS = 1000;

/**
 * Labels chunks by a fleet of workers: gives each to the queue and waits for its results. The queue and the store may
 * lose everything: a chunk whose job is gone gets another one. What is left of a chunk is dropped when its results are here.
 */
export class FleetLabeller implements ChunkLabeller {
  readonly #transport: StageTransport;
  readonly #results: ResultStore;
  readonly #options: FleetLabellerOptions;
  readonly #waiting = new Map<number, Waiting>();
  readonly #closed = new AbortController();
  readonly #loops: readonly Promise<void>[];

  constructor(transport: StageTransport, results: ResultStore, options: FleetLabellerOptions) {
    this.#transport = transport;
    this.#results = results;
    this.#options = options;
    this.#loops = [this.#collect(), this.#reconcile()];
  }

  async label(chunk: CorpusChunk, signal: AbortSignal): Promise<LabelledRows> {
    const { budget } = this.#options;
    return budget === undefined
      ? this.#label(chunk, signal)
      : budget.with(heldBytes(chunk), () => this.#label(chunk, signal));
  }

  async #label(chunk: CorpusChunk, signal: AbortSignal): Promise<LabelledRows> {
    signal.throwIfAborted();
    await this.#options.gate?.(signal);
    const found = new Promise<LabelledRows>((resolve, reject) => {
      this.#waiting.set(chunk.chunk, { chunk, epoch: -1, attempts: 0, isGiving: false, resolve, reject });
    });
    const waiting = this.#waiting.get(chunk.chunk)!;
    try {
      void this.#give(waiting);
      return await orAborted(found, signal);
    } catch (error) {
      // Nobody comes back for it: workers need not begin with it. A run that goes on takes what is there of its chunks.
      if (this.#options.urgent === true) this.#abandon(chunk.chunk);
      throw error;
    } finally {
      this.#waiting.delete(chunk.chunk);
    }
  }

  #abandon(chunk: number): void {
    const { run, onTrouble } = this.#options;
    this.#results.drop({ run, chunk }).catch((error: unknown) => onTrouble?.(error));
  }

  /** Ends waiting; jobs that are in the queue stay there. */
  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all(this.#loops);
  }

  /** Gives a chunk to the queue under a new epoch. What fails is tried again by `#reconcile`. */
  async #give(waiting: Waiting): Promise<void> {
    const { run, policy, fingerprints, nextEpoch, priority, urgent } = this.#options;
    const { chunk, texts, pairs } = waiting.chunk;
    waiting.epoch = nextEpoch();
    waiting.isGiving = true;
    const attempt = { run, chunk, epoch: waiting.epoch };
    try {
      await this.#results.open(attempt);
      this.#options.onStep?.('attempt-opened');
      await this.#transport.add({
        ...attempt,
        stage: 0,
        rows: Int32Array.from(texts.keys()),
        chunkRows: texts.length,
        input: { kind: 'texts', texts, pairs },
        policy,
        fingerprints,
        recomputed: 0,
        priority,
        urgent,
      });
      this.#options.onStep?.('job-added');
      // Only now: a queue that cannot be reached is no fault of the chunk's.
      waiting.attempts += 1;
    } catch (error) {
      this.#options.onTrouble?.(error);
    } finally {
      waiting.isGiving = false;
    }
  }

  async #collect(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      try {
        const chunk = await this.#results.nextReady(this.#options.run);
        const waiting = chunk === undefined ? undefined : this.#waiting.get(chunk);
        if (waiting !== undefined) await this.#take(waiting);
      } catch (error) {
        if (this.#closed.signal.aborted) return;
        this.#options.onTrouble?.(error);
        await this.#pause(RETRY_MS);
      }
    }
  }

  /** Hands out a chunk whose rows are all there. @returns whether they are */
  async #take(waiting: Waiting): Promise<boolean> {
    const { run, classes } = this.#options;
    const { chunk, texts } = waiting.chunk;
    let rows: LabelledRows | undefined;
    try {
      const parts = await this.#unlessClosed(this.#results.parts({ run, chunk }));
      rows = joinParts(parts, texts.length, classes);
    } catch (error) {
      // Damaged, or of another version: without them the chunk is given again, a bounded number of times.
      if (error instanceof ResultPartError) await this.#unlessClosed(this.#results.drop({ run, chunk }));
      throw error;
    }
    if (rows === undefined) return false;
    this.#options.onStep?.('results-joined');
    waiting.resolve(rows);
    await this.#unlessClosed(this.#results.drop({ run, chunk }));
    this.#options.onStep?.('results-dropped');
    return true;
  }

  /** Every chunk that waits has a live job, or gets one. */
  async #reconcile(): Promise<void> {
    const { run, reconcileMs, attempts, onRetry, onTrouble } = this.#options;
    while (!this.#closed.signal.aborted) {
      await this.#pause(reconcileMs);
      for (const waiting of this.#waiting.values()) {
        const { chunk } = waiting.chunk;
        if (waiting.isGiving) continue;
        try {
          const attempt = { run, chunk, epoch: waiting.epoch };
          if (await this.#unlessClosed(this.#transport.isLive(attempt))) continue;
          // Its word that it is ready may be lost, and its results not.
          if (this.#isWaiting(waiting) && (await this.#take(waiting))) continue;
          // Its results may have come meanwhile, and be dropped.
          if (!this.#isWaiting(waiting)) continue;
          if (waiting.attempts >= attempts) {
            waiting.reject(new ChunkLostError(run, chunk, attempts));
            continue;
          }
          onRetry?.(chunk);
          await this.#unlessClosed(this.#give(waiting));
        } catch (error) {
          if (this.#closed.signal.aborted) return;
          onTrouble?.(error);
        }
      }
    }
  }

  /** A queue that is away answers nothing until it is back, and nobody need wait for that any more. */
  #unlessClosed<T>(answer: Promise<T>): Promise<T> {
    return orAborted(answer, this.#closed.signal);
  }

  #isWaiting(waiting: Waiting): boolean {
    return this.#waiting.get(waiting.chunk.chunk) === waiting;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#closed;
      if (signal.aborted) return resolve();
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}
