import type { LabelProgress } from './label-progress.js';

/** Shows how far a run is while it runs. */
export interface ProgressDisplay {
  /** May be called as often as there is news; returns at once. */
  update(progress: LabelProgress): void;
  /** A line of its own, such as a warning; stays above the progress. */
  note(line: string): void;
  /** Call it once, before anything else is written. A run that was stopped leaves its last picture. */
  close(end: 'finished' | 'stopped'): void;
}
