import { textWidth } from './text-width.js';

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';
const clearLine = '\x1b[K';
const clearBelow = '\x1b[J';

/** Signals that end a process that does not listen to them. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What it takes of a terminal; `process.stderr` has it. */
export interface Screen {
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

/**
 * Lines at the foot of a terminal that are repainted in place. The cursor is hidden while there are some, and comes
 * back whatever ends the process, short of SIGKILL.
 */
export class ScreenFrame {
  readonly #screen: Screen;
  /** Widths of the lines on the screen, in columns. */
  #painted: number[] = [];
  #open = false;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Columns that a line may fill. The last one stays free: some terminals wrap when it is written. */
  get columns(): number {
    return Math.max((this.#screen.columns || 80) - 1, 1);
  }

  /** Replaces the lines. Those that the terminal has no rows for are left out, from the last. */
  paint(lines: readonly string[]): void {
    this.#begin();
    const shown = lines.slice(0, Math.max((this.#screen.rows || 24) - 1, 1));
    this.#screen.write(
      `${this.#home()}${shown.map((line) => `${line}${clearLine}\n`).join('')}${clearBelow}`,
    );
    this.#painted = shown.map(textWidth);
  }

  /** Takes the lines away. */
  clear(): void {
    if (this.#painted.length === 0) return;
    this.#screen.write(this.#home() + clearBelow);
    this.#painted = [];
  }

  /** Leaves the lines as they are and gives the cursor back. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#painted = [];
    process.off('exit', this.#restoreCursor);
    for (const signal of endings) process.off(signal, this.#ended);
    this.#restoreCursor();
  }

  #begin(): void {
    if (this.#open) return;
    this.#open = true;
    process.on('exit', this.#restoreCursor);
    for (const signal of endings) process.on(signal, this.#ended);
    this.#screen.write(hideCursor);
  }

  /** Moves to the first column of the first line, also where the terminal has become narrower and wrapped them. */
  #home(): string {
    const columns = this.#screen.columns || 80;
    const height = this.#painted.reduce((sum, width) => sum + Math.max(Math.ceil(width / columns), 1), 0);
    return height === 0 ? '' : `\r\x1b[${height}A`;
  }

  readonly #restoreCursor = (): void => {
    this.#screen.write(showCursor);
  };

  /** Listening keeps a signal from ending the process; where nobody else listens, it shall end it all the same. */
  readonly #ended = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    this.close();
    process.kill(process.pid, signal);
  };
}
