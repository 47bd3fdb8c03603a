import type { ConnectionOptions } from 'bullmq';
import { Queue } from 'bullmq';
import type { ChunkJob, ChunkTransport } from '#pipeline/fleet/fleet-ports.js';
import { chunkQueue, jobId, KEY_PREFIX } from './queue-keys.js';

/** Entries that BullMQ keeps of its own events, which nobody here reads. */
const EVENTS_KEPT = 1000;
const FAILED_KEPT = 1000;

/** Jobs of one bundle on BullMQ. */
export class BullmqTransport implements ChunkTransport {
  readonly #queue: Queue<ChunkJob>;

  /** @param bundle its hash */
  constructor(connection: ConnectionOptions, bundle: string) {
    this.#queue = new Queue(chunkQueue(bundle), {
      connection,
      prefix: KEY_PREFIX,
      streams: { events: { maxLen: EVENTS_KEPT } },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: { count: FAILED_KEPT } },
    });
    // Without a listener an error of the connection would end the process; who waits for an answer gets it too.
    this.#queue.on('error', () => undefined);
  }

  async add(job: ChunkJob): Promise<void> {
    await this.#queue.add('chunk', job, { jobId: jobId(job) });
  }

  async isLive(job: Pick<ChunkJob, 'run' | 'chunk' | 'epoch'>): Promise<boolean> {
    const state = await this.#queue.getJobState(jobId(job));
    return state === 'waiting' || state === 'active' || state === 'delayed' || state === 'prioritized';
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
