import type { LabelProgress } from './label-progress.js';
import { labelViewLines } from './label-view.js';
import type { Paint } from './paint.js';
import type { ProgressDisplay } from './progress-display.js';
import type { Screen } from './screen-frame.js';
import { ScreenFrame } from './screen-frame.js';

/** Between two repaints. */
const repaintMs = 100;

/** Shows the newest progress on a terminal, at most ten times a second. */
export class LiveDisplay implements ProgressDisplay {
  readonly #screen: Screen;
  readonly #frame: ScreenFrame;
  readonly #paint: Paint;
  #progress: LabelProgress | undefined;
  #paintedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(screen: Screen, paint: Paint) {
    this.#screen = screen;
    this.#frame = new ScreenFrame(screen);
    this.#paint = paint;
    screen.on('resize', this.#repaint);
  }

  update(progress: LabelProgress): void {
    this.#progress = progress;
    const wait = this.#paintedAt + repaintMs - performance.now();
    if (wait <= 0) this.#repaint();
    else this.#timer ??= setTimeout(this.#repaint, wait).unref();
  }

  note(line: string): void {
    this.#frame.clear();
    this.#screen.write(`${line}\n`);
    this.#repaint();
  }

  close(end: 'finished' | 'stopped'): void {
    if (end === 'finished') this.#frame.clear();
    else this.#repaint();
    this.#stopTimer();
    this.#screen.off('resize', this.#repaint);
    this.#frame.close();
  }

  readonly #repaint = (): void => {
    this.#stopTimer();
    if (this.#progress === undefined) return;
    this.#paintedAt = performance.now();
    this.#frame.paint(labelViewLines(this.#progress, this.#frame.columns, this.#paint));
  };

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
