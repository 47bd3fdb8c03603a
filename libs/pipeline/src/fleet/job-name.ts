import type { ChunkAttempt, StageJob } from './fleet-ports.js';

/** Names a job among those of its chunk: the same rows at the same stage are the same job. */
export function jobName({
  stage,
  rows,
  recomputed,
}: Pick<StageJob, 'stage' | 'rows' | 'recomputed'>): string {
  return `s${stage + 1}-r${rows.at(0) ?? 0}-${rows.at(-1) ?? 0}-n${recomputed}`;
}

/** Of one attempt, so that what a late worker does to it harms no other. */
export function activationKey({ run, chunk, epoch }: ChunkAttempt, name: string): string {
  return `sluice:activations:${run}:${chunk}:${epoch}:${name}`;
}
