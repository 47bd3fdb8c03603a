import { Queue } from 'bullmq';
import { KEY_PREFIX } from './queue-keys.js';
import type { RedisConnection } from './redis-connection.js';

/** What the queue has of a training: the rest is in its folder. */
export interface TrainingJob {
  readonly id: string;
}

export const TRAINING_QUEUE = 'training';
const EVENTS_KEPT = 1000;

/** Trainings that wait for a trainer. */
export class TrainingQueue {
  /** For whoever looks at it. */
  readonly queue: Queue<TrainingJob>;

  /** @param redis is not closed by the queue */
  constructor(redis: RedisConnection) {
    this.queue = new Queue<TrainingJob>(TRAINING_QUEUE, {
      connection: redis,
      prefix: KEY_PREFIX,
      streams: { events: { maxLen: EVENTS_KEPT } },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    // Without a listener an error of the connection would end the process; who waits for an answer gets it too.
    this.queue.on('error', () => undefined);
  }

  /** Gives a training to the trainers, unless they have it already. */
  async add(id: string): Promise<void> {
    await this.queue.add('training', { id }, { jobId: id });
  }

  /** Takes back a training that no trainer has begun with. */
  async remove(id: string): Promise<void> {
    // One that a trainer has is locked: the trainer sees for itself that it was cancelled.
    await this.queue.remove(id).catch(() => undefined);
  }

  /** Whether a trainer has it. */
  async isActive(id: string): Promise<boolean> {
    return (await this.queue.getJobState(id)) === 'active';
  }

  /** Trainers that are connected; undefined where Redis does not tell. */
  async trainers(): Promise<number | undefined> {
    return this.queue.getWorkersCount().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}
