import type { RunReport } from '#pipeline/report/run-report.js';
import type { LabelProgress } from '#run/label-progress.js';
import type { RunState, SubmittedRun } from './run-folder.js';

/** A run as the API tells of it. */
export interface RunView extends RunState {
  readonly id: string;
  readonly createdAt: string;
  readonly owner: string;
  readonly request: SubmittedRun['request'];
  readonly files: readonly string[];
  /** While it is worked on, and afterwards where it did not finish. */
  readonly progress?: LabelProgress | undefined;
  /** Until it is done at the pace so far; absent while nobody knows. */
  readonly etaSeconds?: number | undefined;
  /** Why it does not go on, such as that there are no workers. */
  readonly waitsFor?: string | undefined;
  readonly notes?: readonly string[] | undefined;
  /** Of a finished run. */
  readonly report?: RunReport | undefined;
  /** Where its output is, from the root of the API. */
  readonly output?: string | undefined;
}

/** At the pace of this session. */
export function etaSeconds({ totalRows, rows, rowsResumed, elapsedMs }: LabelProgress): number | undefined {
  const done = rows - rowsResumed;
  if (totalRows === undefined || done <= 0 || elapsedMs <= 0) return undefined;
  return Math.max(0, Math.round(((totalRows - rows) * elapsedMs) / done / 1000));
}
