/** A job behind the first stage has only rows that survived: so many times more of them fill batches as well. */
const DEEP_JOBS = 8;

/** Jobs that somebody waits for have slots of their own, behind whose work they never wait; they are small. */
export const URGENT_SLOTS = 4;

/** Other jobs of a stage that a worker has at the same time. @param jobs of the first stage */
export function jobSlots(stage: number, jobs: number): number {
  return stage === 0 ? jobs : DEEP_JOBS * jobs;
}
