import type { Settings } from '#config/settings-schema.js';
import type { Metrics } from '#metrics/metrics.js';
import type { ModelRegistry } from '#model/registry/model-registry.js';
import type { SubmittedTraining, TrainingFolders } from '#training/job/training-folders.js';
import { NoSuchTrainingError } from '#training/job/training-folders.js';
import { isTrainingUnderWay } from '#training/job/training-view.js';
import { TrainingDiedError } from '#training/process/training-process.js';
import { CommandKilledError } from './command-process.js';
import type { Log } from './log.js';
import { StepTeller } from './step-teller.js';
import { workOnStep } from './work-on-step.js';

export interface TrainingRunnerParts {
  readonly folders: TrainingFolders;
  readonly models: ModelRegistry;
  readonly settings: Settings['trainer'];
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Between looks whether a training was cancelled, ms. */
const LOOK_MS = 500;

/**
 * Works through the steps of a training. What becomes of it is in its folder; the process may end at any moment, and the
 * next goes on with the step that is not done, from its last checkpoint.
 */
export class TrainingRunner {
  readonly #parts: TrainingRunnerParts;
  #heard = performance.now();

  constructor(parts: TrainingRunnerParts) {
    this.#parts = parts;
  }

  /** When a training last told something, by `performance.now()`. */
  get lastHeard(): number {
    return this.#heard;
  }

  /** @param signal aborts with an EndReason @returns `again` where a trainer is to go on with it */
  async run(id: string, signal: AbortSignal): Promise<'over' | 'again'> {
    const { folders, settings, metrics, log } = this.#parts;
    this.#heard = performance.now();
    const deaths = await this.#deathsOf(id);
    if (deaths === undefined) return 'over';
    const cancelled = new AbortController();
    const looking = setInterval(() => void this.#lookAt(id, cancelled), LOOK_MS);
    const stop = AbortSignal.any([signal, cancelled.signal]);
    try {
      if (deaths >= settings.attempts) {
        await this.#fail(id, `${deaths} trainers died with it, one after the other.`);
        return 'over';
      }
      await folders.setState(id, { phase: 'running', deaths });
      await this.#steps(await folders.submitted(id), stop);
      await folders.setState(id, { phase: 'finished' });
      metrics.count('jobs_total', { stage: 'training', outcome: 'done' });
      log.log(`Training ${id} is finished.`);
      return 'over';
    } catch (error) {
      if (stop.aborted) return await this.#ended(id, signal.reason, deaths);
      // What kills one process, such as too little memory, may not kill the next.
      if (error instanceof TrainingDiedError || error instanceof CommandKilledError) {
        log.warn(`Training ${id}: ${error.message}`);
        await folders.setState(id, { phase: 'waiting', deaths: (await this.#stateDeaths(id)) + 1 });
        return 'again';
      }
      await this.#fail(id, error instanceof Error ? error.message : String(error));
      return 'over';
    } finally {
      clearInterval(looking);
    }
  }

  /** How many trainers died with it; undefined where there is nothing to do. */
  async #deathsOf(id: string): Promise<number | undefined> {
    const state = await this.#parts.folders.state(id).catch((error: unknown) => {
      if (error instanceof NoSuchTrainingError) return undefined;
      throw error;
    });
    if (state === undefined || !isTrainingUnderWay(state)) return undefined;
    // One that stops of its own accord leaves it waiting.
    return (state.deaths ?? 0) + (state.phase === 'running' ? 1 : 0);
  }

  async #stateDeaths(id: string): Promise<number> {
    return (await this.#parts.folders.state(id)).deaths ?? 0;
  }

  async #lookAt(id: string, cancelled: AbortController): Promise<void> {
    const state = await this.#parts.folders.state(id).catch(() => undefined);
    if (state?.phase === 'cancelled') cancelled.abort('cancelled');
  }

  /** After a training was stopped: whoever cancelled it has written so. */
  async #ended(id: string, reason: unknown, deaths: number): Promise<'over' | 'again'> {
    if (reason !== 'trainer-stops') return 'over';
    await this.#parts.folders.setState(id, { phase: 'waiting', deaths });
    return 'again';
  }

  async #fail(id: string, message: string): Promise<void> {
    const { folders, metrics, log } = this.#parts;
    await folders.setState(id, { phase: 'failed', error: message });
    metrics.count('jobs_total', { stage: 'training', outcome: 'failed' });
    log.warn(`Training ${id} failed: ${message}`);
  }

  async #steps(training: SubmittedTraining, signal: AbortSignal): Promise<void> {
    const { folders, metrics, models, settings } = this.#parts;
    const { id } = training;
    for (const [index, step] of training.request.steps.entries()) {
      if ((await folders.result(id, index)) !== undefined) continue;
      signal.throwIfAborted();
      const teller = new StepTeller({
        metrics,
        before: await folders.record(id, index),
        write: (record) => folders.setRecord(id, index, record),
        onHeard: () => (this.#heard = performance.now()),
        onCheckpoint: () => folders.setState(id, { phase: 'running', deaths: 0 }),
        log: this.#parts.log,
      });
      const begun = performance.now();
      try {
        const result = await workOnStep({ training, index, step, folders, models, teller, signal, settings });
        await teller.end();
        await folders.setResult(id, index, { seconds: (performance.now() - begun) / 1000, ...result });
      } finally {
        await teller.end();
      }
      await folders.setState(id, { phase: 'running', deaths: 0 });
    }
  }
}
