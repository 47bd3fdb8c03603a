import type { RunReport } from '#pipeline/report/run-report.js';
import type { LabelProgress } from './label-progress.js';
import type { RunCounts } from './run-counts.js';
import type { RunRequest } from './run-request.js';

export type RunPhase = 'waiting' | 'running' | 'finished' | 'failed' | 'cancelled';

/** Where a run stands. */
export interface RunState {
  readonly phase: RunPhase;
  /** ISO 8601. */
  readonly since: string;
  /** Why it failed. */
  readonly error?: string | undefined;
}

/** Whether a run goes on by itself. */
export const isUnderWay = ({ phase }: RunState): boolean => phase === 'waiting' || phase === 'running';

/** What a run is asked to do, but for its corpus. */
export type RunTask = Omit<RunRequest, 'rows' | 'path'>;

/** A run as the API tells of it. */
export interface RunView extends RunState {
  readonly id: string;
  readonly createdAt: string;
  readonly owner: string;
  readonly request: RunTask;
  /** Of the model. */
  readonly version?: number | undefined;
  /** Names of the first files of the corpus, 20 at most: a corpus may have thousands, and is told of twice a second. */
  readonly files: readonly string[];
  /** Files of the corpus. */
  readonly fileCount: number;
  /** While it is worked on, and afterwards where it did not finish. */
  readonly progress?: LabelProgress | undefined;
  /** Of its committed rows; of a finished run those of its report. */
  readonly counts?: RunCounts | undefined;
  /** Until it is done at the pace so far; absent while nobody knows. */
  readonly etaSeconds?: number | undefined;
  /** Why it does not go on, such as that there are no workers. */
  readonly waitsFor?: string | undefined;
  readonly notes?: readonly string[] | undefined;
  /** Of a finished run. */
  readonly report?: RunReport | undefined;
  /** Of a finished run. */
  readonly output?: RunOutput | undefined;
}

export interface RunOutput {
  /** Where it is, from the root of the API. */
  readonly path: string;
  /** Extension of its format, such as `csv.gz`. */
  readonly format: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** At the pace of this session. */
export function etaSeconds({ totalRows, rows, rowsResumed, elapsedMs }: LabelProgress): number | undefined {
  const done = rows - rowsResumed;
  if (totalRows === undefined || done <= 0 || elapsedMs <= 0) return undefined;
  return Math.max(0, Math.round(((totalRows - rows) * elapsedMs) / done / 1000));
}
