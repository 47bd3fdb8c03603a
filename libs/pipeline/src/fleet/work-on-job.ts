import { StageFailedError } from '../engine/stage-engine.js';
import { orAborted } from '../in-flight.js';
import type { StageJob } from './fleet-ports.js';
import type { TryRows } from './quarantine.js';
import { labelInQuarantine } from './quarantine.js';
import type { StageTaskParts } from './stage-task.js';
import { RowsFailedError, runStageJob } from './stage-task.js';

export interface JobWorkParts extends StageTaskParts {
  /** Labels rows which may be why workers died. */
  readonly tryRows: TryRows;
  /** Hears of a job whose rows are tried by themselves, and why. */
  readonly onSuspect?: ((job: StageJob, why: string) => void) | undefined;
}

/** `dropped`: nobody waits for its results any more, so nobody worked on it. */
export type WorkOutcome = 'done' | 'dropped';

/**
 * Works on a job, unless nobody waits for it any more; on one that workers died with, or whose rows make the model throw, in quarantine.
 * @throws as `runStageJob` and `labelInQuarantine` do
 */
export async function workOnJob(
  job: StageJob,
  isSuspect: boolean,
  parts: JobWorkParts,
  signal: AbortSignal,
): Promise<WorkOutcome> {
  if (!(await orAborted(parts.results.isOpen(job), signal))) {
    if (job.input.kind === 'tokens' && job.input.activations !== undefined) {
      await parts.activations.drop(job.input.activations);
    }
    return 'dropped';
  }
  let why = 'workers died with it';
  if (!isSuspect) {
    try {
      await runStageJob(job, parts, signal);
      return 'done';
    } catch (error) {
      if (!(error instanceof StageFailedError || error instanceof RowsFailedError)) throw error;
      why = error.message;
    }
  }
  parts.onSuspect?.(job, why);
  const part = await orAborted(labelInQuarantine(job, parts.layout.labels.length, parts.tryRows), signal);
  await parts.results.put(job, part, job.chunkRows);
  return 'done';
}
