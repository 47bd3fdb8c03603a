import { randomBytes } from 'node:crypto';
import type { Settings } from '#config/settings-schema.js';
import type { Metrics } from '#metrics/metrics.js';
import type { ModelRegistry } from '#model/registry/model-registry.js';
import type { EndReason } from '#queue/training-worker.js';
import type { SubmittedTraining, TrainingFolders } from '#training/job/training-folders.js';
import { NoSuchTrainingError } from '#training/job/training-folders.js';
import type { TrainingState } from '#training/job/training-view.js';
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

/** Between looks whether a training was cancelled, or is another trainer's, ms. */
const LOOK_MS = 500;

/** Why a training ends here before it is done. */
type StopReason = EndReason | 'cancelled' | 'taken';

/** A training that this trainer has. */
interface Taken {
  readonly id: string;
  /** By which its folder knows this trainer. */
  readonly token: string;
  /** Ends the work on it here, with a StopReason. */
  readonly ending: AbortController;
  /** Trainers that died with it since it last went on. */
  deaths: number;
}

/**
 * Works through the steps of a training. What becomes of it is in its folder; the process may end at any moment, and the
 * next goes on with the step that is not done, from its last checkpoint. Who takes a training says so in its folder, so that
 * a trainer that was cut off, and has lost it, writes nothing any more.
 */
export class TrainingRunner {
  readonly #parts: TrainingRunnerParts;
  #heard = performance.now();
  #taken: Taken | undefined;

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
    const ending = new AbortController();
    const taken = { id, token: randomBytes(12).toString('hex'), ending, deaths };
    await folders.take(id, taken.token);
    this.#taken = taken;
    const looking = setInterval(() => void this.#lookAt(taken), LOOK_MS);
    const stop = AbortSignal.any([signal, ending.signal]);
    try {
      if (deaths >= settings.attempts) {
        await this.#fail(taken, `${deaths} trainers died with it, one after the other.`);
        return 'over';
      }
      await this.#set(taken, { phase: 'running', deaths });
      await this.#steps(taken, await folders.submitted(id), stop);
      // One that was cancelled at the very end is cancelled.
      if (!isTrainingUnderWay(await folders.state(id))) return 'over';
      await this.#set(taken, { phase: 'finished' });
      metrics.count('jobs_total', { stage: 'training', outcome: 'done' });
      log.log(`Training ${id} is finished.`);
      return 'over';
    } catch (error) {
      if (stop.aborted) return await this.#ended(taken, stop.reason);
      // What kills one process, such as too little memory, may not kill the next.
      if (error instanceof TrainingDiedError || error instanceof CommandKilledError) {
        log.warn(`Training ${id}: ${error.message}`);
        await this.#set(taken, { phase: 'waiting', deaths: taken.deaths + 1 });
        return 'again';
      }
      await this.#fail(taken, error instanceof Error ? error.message : String(error));
      return 'over';
    } finally {
      clearInterval(looking);
      this.#taken = undefined;
    }
  }

  /** Where a trainer ends before its training has: that is no death of it. */
  async handBack(): Promise<void> {
    if (this.#taken !== undefined)
      await this.#set(this.#taken, { phase: 'waiting', deaths: this.#taken.deaths });
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

  async #lookAt({ id, token, ending }: Taken): Promise<void> {
    const { folders } = this.#parts;
    const end = (reason: StopReason): void => ending.abort(reason);
    const state = await folders.state(id).catch((error: unknown) => {
      if (error instanceof NoSuchTrainingError) end('cancelled');
      return undefined;
    });
    if (state?.phase === 'cancelled') return end('cancelled');
    if (state !== undefined && !(await folders.isTakenBy(id, token))) end('taken');
  }

  /** Writes where it stands, unless it is another trainer's by now. */
  async #set(taken: Taken, state: Omit<TrainingState, 'since'>): Promise<void> {
    if (await this.#isStill(taken)) await this.#parts.folders.setState(taken.id, state);
  }

  #isStill({ id, token }: Taken): Promise<boolean> {
    return this.#parts.folders.isTakenBy(id, token);
  }

  /** After a training was stopped: whoever cancelled or took it has written so. */
  async #ended(taken: Taken, reason: StopReason): Promise<'over' | 'again'> {
    if (reason === 'cancelled' || reason === 'taken') return 'over';
    await this.#set(taken, { phase: 'waiting', deaths: taken.deaths });
    return reason === 'trainer-stops' ? 'again' : 'over';
  }

  async #fail(taken: Taken, message: string): Promise<void> {
    const { metrics, log } = this.#parts;
    await this.#set(taken, { phase: 'failed', error: message });
    metrics.count('jobs_total', { stage: 'training', outcome: 'failed' });
    log.warn(`Training ${taken.id} failed: ${message}`);
  }

  async #steps(taken: Taken, training: SubmittedTraining, signal: AbortSignal): Promise<void> {
    const { folders, metrics, models, settings, log } = this.#parts;
    const { id } = training;
    const wentOn = async (): Promise<void> => {
      taken.deaths = 0;
      await this.#set(taken, { phase: 'running', deaths: 0 });
    };
    for (const [index, step] of training.request.steps.entries()) {
      if ((await folders.result(id, index)) !== undefined) continue;
      signal.throwIfAborted();
      const teller = new StepTeller({
        metrics,
        before: await folders.record(id, index),
        write: async (record) => {
          if (await this.#isStill(taken)) await folders.setRecord(id, index, record);
        },
        onHeard: () => (this.#heard = performance.now()),
        onCheckpoint: wentOn,
        log,
      });
      const begun = performance.now();
      try {
        const result = await workOnStep({ training, index, step, folders, models, teller, signal, settings });
        await teller.end();
        // It may have been lost or cancelled since the last look.
        await this.#lookAt(taken);
        signal.throwIfAborted();
        await folders.setResult(id, index, { seconds: (performance.now() - begun) / 1000, ...result });
      } finally {
        await teller.end();
      }
      await wentOn();
    }
  }
}
