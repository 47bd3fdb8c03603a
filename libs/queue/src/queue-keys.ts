import type { ChunkAttempt, ChunkOfRun, StageJob } from '#pipeline/fleet/fleet-ports.js';
import { jobName } from '#pipeline/fleet/job-name.js';

/** Of all keys, in braces: on a Redis Cluster they lie in one slot, as scripts over several keys need it. */
export const KEY_PREFIX = '{sluice}';

/**
 * The queue of a stage's jobs.
 * @param bundle its hash
 * @param stage 0-based
 * @param isUrgent that of the jobs that somebody waits for
 */
export function stageQueue(bundle: string, stage: number, isUrgent: boolean): string {
  return `${isUrgent ? 'urgent' : 'stage'}-${stage + 1}-${bundle.slice(0, 16)}`;
}

/** The same for the same rows of the same attempt, so that a job which is added twice is there once. BullMQ allows no colon. */
export function jobId(job: Pick<StageJob, keyof ChunkAttempt | 'stage' | 'rows' | 'recomputed'>): string {
  return `r-${job.run}-c${job.chunk}-e${job.epoch}-${jobName(job)}`;
}

/** What `jobId` made a job's id of: the epoch of its attempt, and its name; `undefined` for an id of another chunk. */
export function attemptOfJob(
  id: string,
  { run, chunk }: ChunkOfRun,
): { readonly epoch: number; readonly name: string } | undefined {
  const start = `r-${run}-c${chunk}-e`;
  if (!id.startsWith(start)) return undefined;
  const [epoch = '', ...name] = id.slice(start.length).split('-');
  return { epoch: Number(epoch), name: name.join('-') };
}

/** Hash of chunk → epoch whose jobs and results are let in. */
export const epochsKey = (run: string): string => `${KEY_PREFIX}:run:${run}:epochs`;

/** Hash of a chunk's parts, and of how many rows they have. */
export const partsKey = ({ run, chunk }: ChunkOfRun): string => `${KEY_PREFIX}:run:${run}:parts:${chunk}`;

/** How a job is noted: BullMQ allows no colon in either. */
export const noteOfJob = (queue: string, id: string): string => `${queue}:${id}`;

export function notedJob(note: string): { readonly queue: string; readonly id: string } {
  const colon = note.indexOf(':');
  return { queue: note.slice(0, colon), id: note.slice(colon + 1) };
}

/** Set of notes, of the jobs that the latest attempt at a chunk has had. */
export const jobsKey = ({ run, chunk }: ChunkOfRun): string => `${KEY_PREFIX}:run:${run}:jobs:${chunk}`;

/** List of chunks whose rows are all there. */
export const readyKey = (run: string): string => `${KEY_PREFIX}:run:${run}:ready`;
