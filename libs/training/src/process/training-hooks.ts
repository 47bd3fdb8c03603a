import type { TrainingNews } from './training-request.js';

export interface TrainingHooks {
  /** Lets a training keep a checkpoint and end. */
  readonly signal?: AbortSignal | undefined;
  readonly onNews: (news: TrainingNews) => void;
}
