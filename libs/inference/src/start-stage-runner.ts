import './no-telemetry.js';
import type { StageBatch, StageResult, StageRunner } from '#pipeline/ports.js';
import type { ModelLayout } from '#pipeline/stage-layout.js';
import type { Provider } from './session-options.js';
import { StageThreadError, StageThreadHandle } from './stage-thread-handle.js';

export interface StageRunnerOptions {
  /** Path of each stage's graph, in the order of the layout's stages. */
  readonly files: readonly string[];
  readonly layout: ModelLayout;
  /** Worker threads, each with its own sessions of one thread; at least 1. */
  readonly workers: number;
  /** The first and last stage to load, 0-based; default all. */
  readonly stages?: readonly [first: number, last: number] | undefined;
  /** Threads of each session; default 1. */
  readonly sessionThreads?: number | undefined;
  /** Default `cpu`. */
  readonly provider?: Provider | undefined;
}

/**
 * Loads stages in worker threads and resolves once all are ready.
 * @throws GraphLoadError naming the file that cannot be loaded
 * @throws RangeError unless there is one file for each stage and at least one worker
 */
export async function startStageRunner(options: StageRunnerOptions): Promise<StageRunner> {
  const { files, layout, workers, sessionThreads = 1, provider = 'cpu' } = options;
  const { stages = [0, layout.stages.length - 1] } = options;
  if (files.length !== layout.stages.length) {
    throw new RangeError(`Expected ${layout.stages.length} stage files; got ${files.length}.`);
  }
  if (!Number.isInteger(workers) || workers < 1)
    throw new RangeError(`Expected at least 1 worker; got ${workers}.`);
  const starts = await Promise.allSettled(
    Array.from({ length: workers }, () =>
      StageThreadHandle.start({ files, layout, stages, sessionThreads, provider }),
    ),
  );
  const threads = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed !== undefined) {
    await Promise.all(threads.map((thread) => thread.close()));
    throw failed.reason;
  }
  return new ThreadedStageRunner(threads);
}

/**
 * Gives each batch to the thread with the fewest waiting. A native crash in a thread ends the whole process; what was
 * committed is on disk by then and the run can be resumed.
 */
class ThreadedStageRunner implements StageRunner {
  readonly concurrency: number;
  readonly #threads: readonly StageThreadHandle[];

  constructor(threads: readonly StageThreadHandle[]) {
    this.#threads = threads;
    this.concurrency = threads.length;
  }

  /** @throws StageThreadError when the batch failed, its thread ended, or none is left */
  async run(batch: StageBatch): Promise<StageResult> {
    let idlest: StageThreadHandle | undefined;
    for (const thread of this.#threads) {
      if (thread.alive && thread.load < (idlest?.load ?? Infinity)) idlest = thread;
    }
    if (idlest === undefined) throw new StageThreadError('No stage thread is left to run a batch.');
    return idlest.run(batch);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
