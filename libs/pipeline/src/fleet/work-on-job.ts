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

/** Between two looks at whether anybody still waits for a job that is under way. */
const LOOK_MS = 5000;
const UNWANTED = new Error('Nobody waits for the rows any more.');

/**
 * Works on a job, as long as somebody waits for it; on one that workers died with, or whose rows make the model throw, in quarantine.
 * @throws as `runStageJob` and `labelInQuarantine` do
 */
export async function workOnJob(
  job: StageJob,
  isSuspect: boolean,
  parts: JobWorkParts,
  signal: AbortSignal,
): Promise<WorkOutcome> {
  if (!(await orAborted(parts.results.isOpen(job), signal))) {
    await dropActivations(job, parts);
    return 'dropped';
  }
  let why = 'workers died with it';
  if (!isSuspect) {
    try {
      await whileWanted(job, parts, (unwanted) =>
        runStageJob(job, parts, AbortSignal.any([signal, unwanted])),
      );
      return 'done';
    } catch (error) {
      if (error === UNWANTED) {
        await dropActivations(job, parts);
        return 'dropped';
      }
      if (!(error instanceof StageFailedError || error instanceof RowsFailedError)) {
        // It fails for good and its rows begin again; but a job that was only given up is another's, with its activations.
        if (!signal.aborted) await dropActivations(job, parts).catch(() => undefined);
        throw error;
      }
      why = error.message;
    }
  }
  parts.onSuspect?.(job, why);
  const part = await orAborted(labelInQuarantine(job, parts.layout.labels.length, parts.tryRows), signal);
  await parts.results.put(job, part, job.chunkRows);
  return 'done';
}

/** Of a job that nobody will work on again. */
async function dropActivations({ input }: StageJob, { activations }: JobWorkParts): Promise<void> {
  if (input.kind === 'tokens' && input.activations !== undefined) await activations.drop(input.activations);
}

/** @param work hears by its signal that nobody waits any more */
async function whileWanted(
  job: StageJob,
  { results }: JobWorkParts,
  work: (unwanted: AbortSignal) => Promise<void>,
): Promise<void> {
  const unwanted = new AbortController();
  const look = async (): Promise<void> => {
    // Where Redis does not answer, somebody may wait.
    if (!(await results.isOpen(job).catch(() => true))) unwanted.abort(UNWANTED);
  };
  const looking = setInterval(() => void look(), LOOK_MS);
  try {
    await work(unwanted.signal);
  } finally {
    clearInterval(looking);
  }
}
