import { StageFailedError } from '../engine/stage-engine.js';
import { orAborted } from '../in-flight.js';
import type { StageJob } from './fleet-ports.js';
import { dropActivations, RowsUnwantedError } from './give-survivors.js';
import type { TryRows } from './quarantine.js';
import { labelInQuarantine } from './quarantine.js';
import type { StageTaskParts } from './stage-task-parts.js';
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
const UNWANTED = new RowsUnwantedError('Nobody waits for the rows any more.');
const ENDED = new RowsUnwantedError('The job has ended.');

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
  try {
    const outcome = await workWhileWanted(job, isSuspect, parts, signal);
    if (outcome !== 'done') await dropActivations(job, parts.activations);
    return outcome === 'dropped' ? 'dropped' : 'done';
  } catch (error) {
    // It fails for good and its rows begin again; but a job that was only given up is another's, with its activations.
    if (!signal.aborted) await dropActivations(job, parts.activations).catch(() => undefined);
    throw error;
  }
}

/** Lets go of a job that nobody waits for, though it is for another runtime. @returns whether nobody does */
export async function dropUnwanted(
  job: StageJob,
  { results, activations }: Pick<StageTaskParts, 'results' | 'activations'>,
): Promise<boolean> {
  if (await results.isOpen(job)) return false;
  await dropActivations(job, activations);
  return true;
}

/** @returns `tried`: done in quarantine, which has no use for its activations */
async function workWhileWanted(
  job: StageJob,
  isSuspect: boolean,
  parts: JobWorkParts,
  signal: AbortSignal,
): Promise<WorkOutcome | 'tried'> {
  if (!(await orAborted(parts.results.isOpen(job), signal))) return 'dropped';
  let why = 'workers died with it';
  if (!isSuspect) {
    try {
      await whileWanted(job, parts, (unwanted) =>
        runStageJob(job, parts, AbortSignal.any([signal, unwanted])),
      );
      return 'done';
    } catch (error) {
      if (error === UNWANTED) return 'dropped';
      if (!(error instanceof StageFailedError || error instanceof RowsFailedError)) throw error;
      why = error.message;
    }
  }
  parts.onSuspect?.(job, why);
  const part = await orAborted(labelInQuarantine(job, parts.layout.labels.length, parts.tryRows), signal);
  await parts.results.put(job, part, job.chunkRows);
  return 'tried';
}

/** @param work hears by its signal that nobody waits any more */
async function whileWanted(
  job: StageJob,
  { results }: JobWorkParts,
  work: (unwanted: AbortSignal) => Promise<void>,
): Promise<void> {
  const unwanted = new AbortController();
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    // Where Redis does not answer, somebody may wait.
    if (!(await results.isOpen(job).catch(() => true))) unwanted.abort(UNWANTED);
    isLooking = false;
  };
  const looking = setInterval(() => void look(), LOOK_MS);
  try {
    await work(unwanted.signal);
  } finally {
    clearInterval(looking);
    // Where one slice of it failed, the others do not go on.
    unwanted.abort(ENDED);
  }
}
