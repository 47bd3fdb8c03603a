import { Queue } from 'bullmq';
import type { RedisConnection } from './redis-connection.js';
import type { Added, ChunkAttempt, StageJob, StageTransport } from '#pipeline/fleet/fleet-ports.js';
import type { JobData } from './job-data.js';
import { packJob } from './job-data.js';
import { epochsKey, jobId, jobsKey, KEY_PREFIX, notedJob, noteOfJob, stageQueue } from './queue-keys.js';
import { KEPT_MS } from './redis-result-store.js';

/** Entries that BullMQ keeps of its own events, which nobody here reads. */
const EVENTS_KEPT = 1000;
/** Jobs hold texts: those that failed are kept to be looked at, few and not for long. */
const FAILED_KEPT = { count: 20, age: 3600 };
/** Every job has a priority: one without would go before all others. */
const NORMAL_PRIORITY = 3;

/** KEYS: epochs, jobs. ARGV: chunk, epoch, job, ms that it is kept. */
const NOTE_JOB = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('SADD', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
`;

/** Jobs of one bundle on BullMQ, in two queues for each stage: jobs that somebody waits for have one of their own. */
export class BullmqTransport implements StageTransport {
  readonly #redis: RedisConnection;
  readonly #bundle: string;
  readonly #queues = new Map<string, Queue<JobData>>();

  /** @param redis is not closed by the transport @param bundle its hash */
  constructor(redis: RedisConnection, bundle: string) {
    this.#redis = redis;
    this.#bundle = bundle;
  }

  async add(job: StageJob): Promise<Added> {
    const id = jobId(job);
    const isUrgent = job.urgent === true;
    // Noted before it is there: a job that is noted and missing is given out again, one that is not noted might live on.
    const keys = [epochsKey(job.run), jobsKey(job)];
    const noted = await this.#redis.eval(
      NOTE_JOB,
      2,
      ...keys,
      job.chunk,
      job.epoch,
      noteOfJob(stageQueue(this.#bundle, job.stage, isUrgent), id),
      KEPT_MS,
    );
    if (noted !== 1) return 'refused';
    const { priority = NORMAL_PRIORITY } = job;
    await this.queue(job.stage, isUrgent).add('rows', packJob(job), { jobId: id, priority });
    return 'added';
  }

  async isLive(attempt: ChunkAttempt): Promise<boolean> {
    const noted = await this.#redis.smembers(jobsKey(attempt));
    const marker = `-e${attempt.epoch}-`;
    const states = await Promise.all(
      noted
        .filter((entry) => entry.includes(marker))
        .map((entry) => {
          const { queue, id } = notedJob(entry);
          return this.#named(queue).getJobState(id);
        }),
    );
    return states.some(
      (state) => state === 'waiting' || state === 'active' || state === 'delayed' || state === 'prioritized',
    );
  }

  async hasJobs(stages: readonly number[]): Promise<boolean> {
    for (const stage of stages) {
      // Those that are delayed are for another runtime, which may never come.
      const counts = await this.queue(stage).getJobCounts('waiting', 'prioritized', 'active');
      if (Object.values(counts).some((jobs) => jobs > 0)) return true;
    }
    return false;
  }

  /** @param stage 0-based @param isUrgent that of the jobs that somebody waits for */
  queue(stage: number, isUrgent = false): Queue<JobData> {
    return this.#named(stageQueue(this.#bundle, stage, isUrgent));
  }

  #named(name: string): Queue<JobData> {
    const open = this.#queues.get(name);
    if (open !== undefined) return open;
    const queue = new Queue<JobData>(name, {
      connection: this.#redis,
      prefix: KEY_PREFIX,
      streams: { events: { maxLen: EVENTS_KEPT } },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: FAILED_KEPT },
    });
    // Without a listener an error of the connection would end the process; who waits for an answer gets it too.
    queue.on('error', () => undefined);
    this.#queues.set(name, queue);
    return queue;
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#queues.values(), (queue) => queue.close()));
  }
}
