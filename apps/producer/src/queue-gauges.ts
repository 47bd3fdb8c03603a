import type { Metrics } from '#metrics/metrics.js';
import type { StageCard, WorkerCard } from '#queue/worker-registry.js';
import { listWorkers } from '#queue/worker-registry.js';
import { modelReference, versionName } from '#model/registry/model-name.js';
import type { ModelVersion } from '#model/registry/model-registry.js';
import { beginCounting } from './committed-rows.js';
import type { FleetLink } from './fleet-link.js';
import type { ModelShelf } from './model-shelf.js';
import type { RunFeeder } from './run-feeder.js';
import type { StageQueues } from './stage-queues.js';

/** What a row takes a worker before any was measured, seconds. */
const UNMEASURED_SECONDS = 0.01;
/** Rows of a job before any was seen. */
const UNMEASURED_ROWS = 1024;

/** Brings the gauges of the queues up to date: what waits at each stage, how long it takes, who works on it. */
export class QueueGauges {
  readonly #fleet: FleetLink;
  readonly #models: ModelShelf;
  readonly #feeder: Pick<RunFeeder, 'models' | 'waitingForWorkers'>;
  readonly #queues: StageQueues;
  readonly #metrics: Metrics;

  constructor(parts: {
    readonly fleet: FleetLink;
    readonly models: ModelShelf;
    readonly feeder: Pick<RunFeeder, 'models' | 'waitingForWorkers'>;
    readonly queues: StageQueues;
    readonly metrics: Metrics;
  }) {
    this.#fleet = parts.fleet;
    this.#models = parts.models;
    this.#feeder = parts.feeder;
    this.#queues = parts.queues;
    this.#metrics = parts.metrics;
  }

  async refresh(): Promise<void> {
    const { ratio } = this.#fleet.pressure;
    this.#metrics.set('redis_up', { redis: 'queue' }, ratio === undefined ? 0 : 1);
    this.#metrics.set('redis_used_ratio', { redis: 'queue' }, ratio ?? 0);
    // Without Redis there is nothing to tell; the old figures would be wrong.
    for (const name of ['queue_jobs', 'oldest_job_seconds', 'backlog_seconds', 'workers'] as const) {
      this.#metrics.reset(name);
    }
    if (ratio === undefined) return;
    // It may go away meanwhile.
    await this.#refreshQueues().catch(() => undefined);
  }

  async #refreshQueues(): Promise<void> {
    const workers = await listWorkers(this.#fleet.asking);
    for (const name of await this.#models.names()) {
      const promoted = await this.#models.version(name);
      for (const version of await this.#models.registry.versions(name)) {
        const isPromoted = version.version === promoted.version;
        const model = isPromoted ? name : versionName(name, version.version);
        const serving = await this.#workersOf(version, workers);
        // Another version matters while somebody works on it, or something waits for it.
        if (isPromoted || serving.length > 0 || this.#feeder.models.has(versionName(name, version.version)))
          await this.#refreshModel(model, version, serving);
      }
    }
  }

  async #workersOf(version: ModelVersion, workers: readonly WorkerCard[]): Promise<WorkerCard[]> {
    const hash = await this.#models.hashOf(version).catch(() => undefined);
    return workers.filter(({ bundle }) => bundle === hash);
  }

  async #refreshModel(model: string, version: ModelVersion, workers: readonly WorkerCard[]): Promise<void> {
    const bundle = await this.#models.bundleOf(version).catch(() => undefined);
    if (bundle === undefined) return;
    beginCounting(this.#metrics, modelReference(model)?.name ?? model, bundle.manifest);
    for (const stage of bundle.manifest.stages.keys()) {
      await this.#refreshStage(model, bundle.hash, stage, workers);
    }
  }

  async #refreshStage(
    model: string,
    bundle: string,
    stage: number,
    workers: readonly WorkerCard[],
  ): Promise<void> {
    const labels = { model, stage: String(stage + 1) };
    const queue = this.#queues.of(bundle, stage);
    const { prioritized = 0, waiting = 0, active = 0, delayed = 0, failed = 0 } = await queue.getJobCounts();
    for (const [state, jobs] of Object.entries({ waiting: prioritized + waiting, active, delayed, failed })) {
      this.#metrics.set('queue_jobs', { ...labels, state }, jobs);
    }
    // A job that only workers of another runtime are offered is delayed, again and again.
    const next = await Promise.all([
      queue.getPrioritized(0, 0),
      queue.getWaiting(0, 0),
      queue.getDelayed(0, 0),
    ]);
    const since = next.flat().map(({ timestamp }) => Date.now() - timestamp);
    this.#metrics.set('oldest_job_seconds', labels, Math.max(0, ...since) / 1000);
    const cards = workers.flatMap(({ stages }) => stages.filter((each) => each.stage === stage));
    this.#metrics.set('workers', labels, cards.length);
    // A run that waits for the first worker has no jobs yet, and must wake one where a stage that idles has none.
    const chunksToCome = stage === 0 ? this.#feeder.waitingForWorkers(bundle) : 0;
    const jobs = prioritized + waiting + chunksToCome;
    this.#metrics.set('backlog_seconds', labels, jobs * secondsOfJob(cards));
  }
}

/** What a job of a stage takes one worker. */
function secondsOfJob(cards: readonly StageCard[]): number {
  let [jobs, rows, rowsRun, seconds] = [0, 0, 0, 0];
  for (const card of cards) {
    jobs += card.jobs;
    rows += card.rows;
    rowsRun += card.rowsRun;
    seconds += card.seconds;
  }
  const rowsOfJob = jobs === 0 ? UNMEASURED_ROWS : rows / jobs;
  return rowsOfJob * (rowsRun === 0 ? UNMEASURED_SECONDS : seconds / rowsRun);
}
