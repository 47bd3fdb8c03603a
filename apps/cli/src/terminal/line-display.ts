import type { LabelProgress } from './label-progress.js';
import { paceWords, percentText, rowsDoneText } from './progress-words.js';
import type { ProgressDisplay } from './progress-display.js';

const lineEveryMs = 10_000;

/** Where there is no terminal: a plain line when the phase changes, every 10 s and every tenth of the labelling. */
export class LineDisplay implements ProgressDisplay {
  readonly #output: { write(text: string): unknown };
  readonly #now: () => number;
  #phase = '';
  #tenth = 0;
  #writtenAt = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(output: { write(text: string): unknown }, now = (): number => performance.now()) {
    this.#output = output;
    this.#now = now;
  }

  update(progress: LabelProgress): void {
    const tenth = progress.phase === 'labelling' ? Math.floor((progress.fraction ?? 0) * 10) : 0;
    const due =
      progress.phase !== this.#phase || tenth > this.#tenth || this.#now() - this.#writtenAt >= lineEveryMs;
    if (!due) return;
    this.#phase = progress.phase;
    this.#tenth = tenth;
    this.#writtenAt = this.#now();
    this.note(progressLine(progress));
  }

  note(line: string): void {
    this.#output.write(`${line}\n`);
  }

  close(): void {
    // Every line stands for itself.
  }
}

/** `labelling: 41 %, 2,424 of ~5,908 rows, 1,204 rows/s, 2.9 s left`. */
export function progressLine(progress: LabelProgress): string {
  const words = [percentText(progress.fraction), rowsDoneText(progress), ...paceWords(progress)];
  return `${progress.phase}: ${words.filter(Boolean).join(', ')}`;
}
