import type { Metrics } from '#metrics/metrics.js';
import type { StepRecord } from '#training/job/training-view.js';
import type { TrainingNews } from '#training/process/training-request.js';
import type { TrainingProgress } from '#training/report/training-progress.js';
import { nextProgress, notBegun, secondsLeft } from '#training/report/training-progress.js';
import type { Log } from './log.js';

export interface StepTellerParts {
  readonly metrics: Metrics;
  /** What was told of the step by a trainer that is no more. */
  readonly before: StepRecord;
  readonly write: (record: StepRecord) => Promise<void>;
  readonly onHeard: () => void;
  /** Hears that this trainer made steps and a checkpoint behind them. */
  readonly onCheckpoint: () => Promise<void>;
  readonly log: Log;
}

/** Between two records, ms. */
const WRITE_MS = 1000;
const MOST_NOTES = 200;

/** Turns what a step says into its record and its metrics. */
export class StepTeller {
  readonly #parts: StepTellerParts;
  readonly #notes: string[];
  #progress: TrainingProgress | undefined;
  #written = 0;
  #writing = Promise.resolve();
  /** The epoch of the last step that was made here. */
  #epoch: number | undefined;

  constructor(parts: StepTellerParts) {
    this.#parts = parts;
    this.#notes = [...parts.before.notes];
  }

  note(text: string): void {
    this.#parts.onHeard();
    // A step that goes on says again what it read.
    if (!this.#notes.includes(text)) this.#notes.push(text);
    if (this.#notes.length > MOST_NOTES) this.#notes.shift();
    this.#write();
  }

  /** Takes the news of a training. @param checkpointSteps steps between its checkpoints */
  news(news: TrainingNews, checkpointSteps: number): void {
    if (news.kind === 'note') return this.note(news.note);
    this.#parts.onHeard();
    this.#progress = nextProgress(this.#progress ?? notBegun, news);
    const { metrics, onCheckpoint } = this.#parts;
    if (news.kind === 'step') {
      const { phase } = news;
      metrics.set('training_loss', { phase }, news.loss);
      metrics.set('training_rate', { phase }, news.rate);
      metrics.count('training_steps_total', { phase });
      metrics.count('training_rows_total', { phase }, news.rows);
      // The checkpoint behind the step before this one was written, or there would not be this one.
      const isBehindCheckpoint = (news.step - 1) % checkpointSteps === 0 || news.epoch !== this.#epoch;
      if (this.#epoch !== undefined && isBehindCheckpoint) this.#queue(onCheckpoint);
      this.#epoch = news.epoch;
    }
    if (news.kind === 'epoch') {
      for (const { layer, share } of news.dev) {
        metrics.set('training_share', { phase: news.phase, layer: String(layer) }, share);
      }
    }
    this.#write();
  }

  /** Writes what is not written yet. */
  async end(): Promise<void> {
    this.#queue(() => this.#parts.write(this.#record()));
    await this.#writing;
  }

  #write(): void {
    if (performance.now() - this.#written < WRITE_MS) return;
    this.#written = performance.now();
    this.#queue(() => this.#parts.write(this.#record()));
  }

  /** One after the other. */
  #queue(write: () => Promise<void>): void {
    this.#writing = this.#writing
      .then(write)
      .catch((error: unknown) => this.#parts.log.warn(`Progress cannot be written: ${String(error)}`));
  }

  #record(): StepRecord {
    if (this.#progress === undefined) return { notes: this.#notes };
    const { phase: _, ...progress } = this.#progress;
    return { notes: this.#notes, progress: { ...progress, etaSeconds: secondsLeft(this.#progress) } };
  }
}
