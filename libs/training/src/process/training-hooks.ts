import type { TrainingNews } from './training-request.js';

export interface TrainingHooks {
  /** Lets a training keep a checkpoint and end. */
  readonly signal?: AbortSignal | undefined;
  /** Ends a training in a process of its own at once: nothing more is written. */
  readonly kill?: AbortSignal | undefined;
  readonly onNews: (news: TrainingNews) => void;
}
