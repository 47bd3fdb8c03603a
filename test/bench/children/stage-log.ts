import type { Telemetry } from '#pipeline/ports.js';

/** What a stage ran on, all batches together. */
export interface StageWork {
  /** 0-based. */
  readonly stage: number;
  readonly batches: number;
  readonly rows: number;
  readonly tokens: number;
  /** Within the model, summed over threads. */
  readonly seconds: number;
}

/** Adds up what the stage engine tells. */
export class StageLog implements Telemetry {
  readonly #stages: StageWork[] = [];

  stageRan(stage: number, rows: number, tokens: number, seconds: number): void {
    const before = this.#stages[stage] ?? { stage, batches: 0, rows: 0, tokens: 0, seconds: 0 };
    this.#stages[stage] = {
      stage,
      batches: before.batches + 1,
      rows: before.rows + rows,
      tokens: before.tokens + tokens,
      seconds: before.seconds + seconds,
    };
  }

  rowsLeft(): void {
    // Each row's exit is among its labels.
  }

  /** By stage; one that no row reached has no work. */
  work(stages: number): StageWork[] {
    return Array.from(
      { length: stages },
      (_, stage) => this.#stages[stage] ?? { stage, batches: 0, rows: 0, tokens: 0, seconds: 0 },
    );
  }
}
