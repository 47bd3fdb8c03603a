import type { LabelProgress } from '#run/label-progress.js';
import type { RunCounts } from '#run/run-counts.js';
import type { LeastCertainRows } from './least-certain-rows.js';

/** A run that this producer works on. */
export interface FedRun {
  readonly id: string;
  /** Version of a model, such as `topics@3`. */
  readonly model: string;
  progress: LabelProgress | undefined;
  /** Counts anew, since that takes a while for a model of many labels: for who asks. */
  counts: (() => RunCounts) | undefined;
  leastCertain: LeastCertainRows | undefined;
  waitsFor: string | undefined;
  /** Hash of the bundle that no worker serves, while that is what it waits for. */
  waitsForWorkersOf: string | undefined;
  /** Whether it has labels already: it waits for their runtime then. */
  isBegun: boolean;
  /** Its id in the queue, which is that of its run directory. */
  queued: string | undefined;
  /** Between reading and commit. */
  chunksInFlight: number;
  readonly notes: string[];
  readonly stop: AbortController;
  readonly done: Promise<void>;
}
