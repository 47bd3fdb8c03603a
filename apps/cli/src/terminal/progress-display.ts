import type { Paint } from './paint.js';

/** What a display must know of any progress. */
export interface Progress {
  /** What goes on, such as `labelling`. */
  readonly phase: string;
  /** Of the phase's work, 0..1; undefined while nobody knows how much there is. */
  readonly fraction: number | undefined;
}

/** How the progress of a kind of work is shown. */
export interface ProgressView<P extends Progress> {
  /** The phase that takes long; where there is no terminal, each tenth of it is told. */
  readonly mainPhase: string;
  /** For a terminal; no line is wider than its columns. */
  readonly picture: (progress: P, columns: number, paint: Paint) => string[];
  /** For a log. */
  readonly line: (progress: P) => string;
}

/** Shows how far work is while it goes on. */
export interface ProgressDisplay<P extends Progress> {
  /** May be called as often as there is news; returns at once. */
  update(progress: P): void;
  /** A line of its own, such as a warning; stays above the progress. */
  note(line: string): void;
  /** Call it once, before anything else is written. What was stopped leaves its last picture. */
  close(end: 'finished' | 'stopped'): void;
}
