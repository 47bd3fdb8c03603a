import type { Metrics } from '#metrics/metrics.js';
import type { Telemetry } from '#pipeline/ports.js';
import type { StageCard } from '#queue/worker-registry.js';

type Figures = { -readonly [Count in keyof StageCard]-?: number };

/** Counts what runs through each stage, for the metrics and for the worker's card. */
export class StageFigures implements Telemetry {
  readonly #metrics: Metrics;
  readonly #moved: () => void;
  readonly #stages: Figures[];

  /** @param stages that are served, with the most tokens of a batch, and the threads @param moved hears that work goes on */
  constructor(
    metrics: Metrics,
    stages: readonly { readonly stage: number; readonly batchTokens: number; readonly threads: number }[],
    moved: () => void,
  ) {
    this.#metrics = metrics;
    this.#moved = moved;
    this.#stages = stages.map((stage) => ({
      ...stage,
      jobs: 0,
      rows: 0,
      rowsRun: 0,
      seconds: 0,
      batches: 0,
      tokens: 0,
    }));
  }

  get cards(): readonly StageCard[] {
    return this.#stages;
  }

  jobTaken(stage: number, rows: number): void {
    const figures = this.#stages.find((each) => each.stage === stage);
    if (figures === undefined) return;
    figures.jobs += 1;
    figures.rows += rows;
  }

  stageRan(stage: number, rows: number, tokens: number, seconds: number): void {
    const labels = { stage: String(stage + 1) };
    this.#metrics.observe('stage_seconds', labels, seconds);
    this.#metrics.observe('stage_rows', labels, rows);
    this.#metrics.observe('stage_batch_tokens', labels, tokens);
    const figures = this.#stages.find((each) => each.stage === stage);
    if (figures !== undefined) {
      figures.rowsRun += rows;
      figures.seconds += seconds;
      figures.batches += 1;
      figures.tokens += tokens;
    }
    this.#moved();
  }

  /** Rows that were to enter a stage, and need not be run. They count as run: rows that wait take so much less time. */
  repeated(stage: number, rows: number): void {
    this.#metrics.count('rows_repeated_total', { stage: String(stage + 1) }, rows);
    const figures = this.#stages.find((each) => each.stage === stage);
    if (figures !== undefined) figures.rowsRun += rows;
    this.#moved();
  }

  rowsLeft(): void {
    // Counted by who commits them.
  }
}
