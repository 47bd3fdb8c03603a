import type { ChunkJob, ChunkOfRun } from '#pipeline/fleet/fleet-ports.js';

/** Of all keys, in braces: on a Redis Cluster they lie in one slot, as scripts over several keys need it. */
export const KEY_PREFIX = '{sluice}';

/** The queue of a bundle's jobs. @param bundle its hash */
export function chunkQueue(bundle: string): string {
  return `chunks-${bundle.slice(0, 16)}`;
}

/** The same for the same attempt, so that a job which is added twice is there once. BullMQ allows no colon. */
export function jobId({ run, chunk, epoch }: Pick<ChunkJob, 'run' | 'chunk' | 'epoch'>): string {
  return `r-${run}-c${chunk}-e${epoch}`;
}

/** Hash of chunk → epoch whose results are let in. */
export const epochsKey = (run: string): string => `${KEY_PREFIX}:run:${run}:epochs`;

/** Hash of a chunk's parts, and of how many rows they have. */
export const partsKey = ({ run, chunk }: ChunkOfRun): string => `${KEY_PREFIX}:run:${run}:parts:${chunk}`;

/** List of chunks whose rows are all there. */
export const readyKey = (run: string): string => `${KEY_PREFIX}:run:${run}:ready`;
