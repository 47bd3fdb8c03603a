import type { Paint } from './paint.js';
import type { Progress, ProgressDisplay, ProgressView } from './progress-display.js';
import type { Screen } from './screen-frame.js';
import { ScreenFrame } from './screen-frame.js';

/** Between two repaints. */
const repaintMs = 100;

/** Shows the newest progress on a terminal, at most ten times a second. */
export class LiveDisplay<P extends Progress> implements ProgressDisplay<P> {
  readonly #screen: Screen;
  readonly #frame: ScreenFrame;
  readonly #view: ProgressView<P>;
  readonly #paint: Paint;
  #progress: P | undefined;
  #paintedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(screen: Screen, paint: Paint, view: ProgressView<P>) {
    this.#screen = screen;
    this.#frame = new ScreenFrame(screen);
    this.#paint = paint;
    this.#view = view;
    screen.on('resize', this.#repaint);
  }

  update(progress: P): void {
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
    this.#frame.paint(this.#view.picture(this.#progress, this.#frame.columns, this.#paint));
  };

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
