import type { LengthPool } from './length-pool.js';
import { isUrgentTask } from './length-pool.js';

/** Which rows run next: a batch of the rows of one length that wait at one stage. */
export interface NextBatch {
  readonly stage: number;
  readonly length: number;
}

/**
 * What a free place in the runner gets, in turns:
 *
 * - a full batch, the deepest stage first: it frees the most memory and ends the most rows;
 * - the rows of the oldest task, with others of their length, so that tasks end one after the other and can be
 *   committed; also where nothing is full.
 *
 * But before all others, rows that somebody waits for; and instead of first-stage rows whose survivors would have no room: the largest batch of survivors.
 *
 * @param turn which of the two comes first now; `only-full` where rows had better wait for others
 * @param pools the pool of each stage, the first stage first
 * @param hasRoom whether the survivors of so many first-stage tokens fit under the memory bound
 * @returns undefined where no row waits, or where only running batches can make room
 */
export function nextBatch(
  turn: 'full' | 'oldest' | 'only-full',
  pools: readonly LengthPool[],
  hasRoom: (tokens: number) => boolean,
): NextBatch | undefined {
  const first = oldest(pools);
  const full = turn === 'oldest' || first?.isUrgent === true ? undefined : deepestFull(pools);
  const next = full ?? (turn === 'only-full' && first?.isUrgent !== true ? undefined : first);
  if (next?.stage !== 0) return next;
  const rows = pools[0]?.batchRows(next.length) ?? 0;
  return hasRoom(rows * next.length) ? next : largestSurvivors(pools);
}

function deepestFull(pools: readonly LengthPool[]): NextBatch | undefined {
  for (let stage = pools.length - 1; stage >= 0; stage--) {
    const length = pools[stage]?.full();
    if (length !== undefined) return { stage, length };
  }
  return undefined;
}

function oldest(pools: readonly LengthPool[]): (NextBatch & { readonly isUrgent: boolean }) | undefined {
  let oldestTask = Infinity;
  let next: ReturnType<typeof oldest>;
  for (const [stage, pool] of pools.entries()) {
    const bucket = pool.oldest();
    if (bucket === undefined || bucket.task >= oldestTask) continue;
    oldestTask = bucket.task;
    next = { stage, length: bucket.length, isUrgent: isUrgentTask(bucket.task) };
  }
  return next;
}

function largestSurvivors(pools: readonly LengthPool[]): NextBatch | undefined {
  let most = 0;
  let next: NextBatch | undefined;
  for (const [stage, pool] of pools.entries()) {
    const bucket = stage === 0 ? undefined : pool.largest();
    if (bucket === undefined || bucket.tokens <= most) continue;
    most = bucket.tokens;
    next = { stage, length: bucket.length };
  }
  return next;
}
