import type { Progress, ProgressDisplay, ProgressView } from './progress-display.js';

const lineEveryMs = 10_000;

/** Where there is no terminal: a plain line when the phase changes, every 10 s and every tenth of the main one. */
export class LineDisplay<P extends Progress> implements ProgressDisplay<P> {
  readonly #output: { write(text: string): unknown };
  readonly #view: ProgressView<P>;
  readonly #now: () => number;
  #phase = '';
  #tenth = 0;
  #writtenAt = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(
    output: { write(text: string): unknown },
    view: ProgressView<P>,
    now = (): number => performance.now(),
  ) {
    this.#output = output;
    this.#view = view;
    this.#now = now;
  }

  update(progress: P): void {
    const tenth = progress.phase === this.#view.mainPhase ? Math.floor((progress.fraction ?? 0) * 10) : 0;
    const due =
      progress.phase !== this.#phase || tenth > this.#tenth || this.#now() - this.#writtenAt >= lineEveryMs;
    if (!due) return;
    this.#phase = progress.phase;
    this.#tenth = tenth;
    this.#writtenAt = this.#now();
    this.note(this.#view.line(progress));
  }

  note(line: string): void {
    this.#output.write(`${line}\n`);
  }

  close(): void {
    // Every line stands for itself.
  }
}
