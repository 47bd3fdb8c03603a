/**
 * Between two looks for jobs whose worker is gone, ms. BullMQ leaves out a look that comes a moment too early after another
 * worker's, so that it may be twice as long until the next: jobs come back after 4/3 of their lock, or 5/3 at the latest.
 * @param lockMs of a job
 */
export const stalledInterval = (lockMs: number): number => Math.ceil(lockMs / 3);
