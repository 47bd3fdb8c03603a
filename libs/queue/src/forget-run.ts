import { Queue } from 'bullmq';
import { attemptOfJob, epochsKey, jobsKey, KEY_PREFIX, notedJob, partsKey, readyKey } from './queue-keys.js';
import { activationKey } from '#pipeline/fleet/job-name.js';
import type { RedisConnection } from './redis-connection.js';

/**
 * Takes what is left of a run out of Redis: results that nobody will take, and jobs that no worker has begun with. Those
 * that are worked on come to nothing, for their results are refused. The activations of the jobs go with them, where they
 * are in this Redis; in another, that evicts, they go by their own time.
 */
export async function forgetRun(redis: RedisConnection, run: string): Promise<void> {
  const chunks = Object.keys(await redis.hgetall(epochsKey(run))).map(Number);
  // First the epochs: from here on nothing more is let in.
  await redis.unlink(epochsKey(run), readyKey(run));
  const queues = new Map<string, Queue>();
  try {
    for (const chunk of chunks) {
      const jobs = await redis.smembers(jobsKey({ run, chunk }));
      for (const job of jobs) {
        const { queue: name, id } = notedJob(job);
        // It takes jobs out alone: how a queue is set up is left as it is.
        const setUp = { connection: redis, prefix: KEY_PREFIX, skipMetasUpdate: true };
        const queue = queues.get(name) ?? new Queue(name, setUp);
        // Without a listener an error of the connection would end the process; who waits for an answer gets it too.
        if (!queues.has(name)) queue.on('error', () => undefined);
        queues.set(name, queue);
        await queue.remove(id);
        const attempt = attemptOfJob(id, { run, chunk });
        if (attempt !== undefined)
          await redis.unlink(activationKey({ run, chunk, epoch: attempt.epoch }, attempt.name));
      }
      await redis.unlink(partsKey({ run, chunk }), jobsKey({ run, chunk }));
    }
  } finally {
    await Promise.all(Array.from(queues.values(), (queue) => queue.close()));
  }
}
