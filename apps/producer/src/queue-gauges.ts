import type { Queue } from 'bullmq';
import type { Metrics } from '#metrics/metrics.js';
import { share, sum } from '#pipeline/report/counts.js';
import type { StageCard, WorkerCard } from '#queue/worker-registry.js';
import { listWorkers } from '#queue/worker-registry.js';
import { modelReference, versionName } from '#model/registry/model-name.js';
import type { ModelVersion } from '#model/registry/model-registry.js';
import type { Classifier } from './classifier.js';
import { beginCounting } from './committed-rows.js';
import type { FleetLink } from './fleet-link.js';
import type { ModelShelf } from './model-shelf.js';
import type { RunFeeder } from './run-feeder.js';
import type { StageQueues } from './stage-queues.js';

/** What a row takes a worker before any was measured, seconds. */
const UNMEASURED_SECONDS = 0.01;
/** Rows of a job before any was seen. */
const UNMEASURED_ROWS = 1024;

/** One stage of a model that runs may name: what waits there, and how it goes. */
export interface StageView {
  readonly model: string;
  /** Hash of the bundle. */
  readonly bundle: string;
  /** From 1. */
  readonly stage: number;
  /** First and last; null for a stage of exit 0 alone. */
  readonly layers: readonly [number, number] | null;
  readonly exits: readonly number[];
  readonly workers: number;
  readonly jobs: {
    readonly waiting: number;
    readonly active: number;
    readonly delayed: number;
    readonly failed: number;
  };
  /** Age of the job that waits longest, seconds; 0 where none waits. */
  readonly oldestSeconds: number;
  /** What waits would take one worker so long, seconds. */
  readonly backlogSeconds: number;
  /** What a row takes one worker, measured by those that there are; absent before the first. */
  readonly secondsPerRow?: number | undefined;
  /** Batches since these workers began, rows of one on average, and the share of the tokens that one may have, 0..1. */
  readonly batches?: number | undefined;
  readonly rowsPerBatch?: number | undefined;
  readonly batchFill?: number | undefined;
}

/** Brings the gauges of the queues up to date: what waits at each stage, how long it takes, who works on it. */
export class QueueGauges {
  readonly #fleet: FleetLink;
  readonly #models: ModelShelf;
  readonly #feeder: Pick<RunFeeder, 'models' | 'waitingForWorkers'>;
  readonly #classifier: Pick<Classifier, 'wantsWorkers'>;
  readonly #queues: StageQueues;
  readonly #metrics: Metrics;
  #stages: readonly StageView[] = [];

  constructor(parts: {
    readonly fleet: FleetLink;
    readonly models: ModelShelf;
    readonly feeder: Pick<RunFeeder, 'models' | 'waitingForWorkers'>;
    readonly classifier: Pick<Classifier, 'wantsWorkers'>;
    readonly queues: StageQueues;
    readonly metrics: Metrics;
  }) {
    this.#fleet = parts.fleet;
    this.#models = parts.models;
    this.#feeder = parts.feeder;
    this.#classifier = parts.classifier;
    this.#queues = parts.queues;
    this.#metrics = parts.metrics;
  }

  /** Every stage, as it was at the latest refresh; none while Redis does not answer. */
  get stages(): readonly StageView[] {
    return this.#stages;
  }

  async refresh(): Promise<void> {
    const { ratio } = this.#fleet.pressure;
    this.#metrics.set('redis_up', { redis: 'queue' }, ratio === undefined ? 0 : 1);
    this.#metrics.set('redis_used_ratio', { redis: 'queue' }, ratio ?? 0);
    // Without Redis there is nothing to tell; the old figures would be wrong. It may go away meanwhile.
    this.#stages = ratio === undefined ? [] : await this.#viewQueues().catch(() => []);
    this.#tell();
  }

  /** At once, so that whoever asks meanwhile finds all figures. */
  #tell(): void {
    for (const name of ['queue_jobs', 'oldest_job_seconds', 'backlog_seconds', 'workers'] as const) {
      this.#metrics.reset(name);
    }
    for (const view of this.#stages) {
      const labels = { model: view.model, stage: String(view.stage) };
      for (const [state, count] of Object.entries(view.jobs)) {
        this.#metrics.set('queue_jobs', { ...labels, state }, count);
      }
      this.#metrics.set('oldest_job_seconds', labels, view.oldestSeconds);
      this.#metrics.set('workers', labels, view.workers);
      this.#metrics.set('backlog_seconds', labels, view.backlogSeconds);
    }
  }

  async #viewQueues(): Promise<StageView[]> {
    const views: StageView[] = [];
    const workers = await listWorkers(this.#fleet.asking);
    for (const name of await this.#models.names()) {
      const promoted = await this.#models.version(name);
      for (const version of await this.#models.registry.versions(name)) {
        const isPromoted = version.version === promoted.version;
        const model = isPromoted ? name : versionName(name, version.version);
        const serving = await this.#workersOf(version, workers);
        // Another version matters while somebody works on it, or something waits for it.
        if (isPromoted || serving.length > 0 || this.#feeder.models.has(versionName(name, version.version)))
          views.push(...(await this.#viewModel(model, version, serving)));
      }
    }
    return views;
  }

  async #workersOf(version: ModelVersion, workers: readonly WorkerCard[]): Promise<WorkerCard[]> {
    const known = await this.#models.manifestOf(version).catch(() => undefined);
    return workers.filter(({ bundle }) => bundle === known?.hash);
  }

  async #viewModel(
    model: string,
    version: ModelVersion,
    workers: readonly WorkerCard[],
  ): Promise<StageView[]> {
    const views: StageView[] = [];
    const bundle = await this.#models.bundleOf(version).catch(() => undefined);
    if (bundle === undefined) return views;
    beginCounting(this.#metrics, modelReference(model)?.name ?? model, bundle.manifest);
    for (const [stage, { layers, exits }] of bundle.manifest.stages.entries()) {
      const figures = await this.#viewStage(bundle.hash, stage, workers);
      views.push({ model, bundle: bundle.hash, stage: stage + 1, layers, exits, ...figures });
    }
    return views;
  }

  async #viewStage(
    bundle: string,
    stage: number,
    workers: readonly WorkerCard[],
  ): Promise<Omit<StageView, 'model' | 'bundle' | 'stage' | 'layers' | 'exits'>> {
    const jobs = { waiting: 0, active: 0, delayed: 0, failed: 0 };
    let oldestSeconds = 0;
    for (const queue of this.#queues.of(bundle, stage)) {
      const {
        prioritized = 0,
        waiting = 0,
        active = 0,
        delayed = 0,
        failed = 0,
      } = await queue.getJobCounts();
      jobs.waiting += prioritized + waiting;
      jobs.active += active;
      jobs.delayed += delayed;
      jobs.failed += failed;
      oldestSeconds = Math.max(oldestSeconds, await oldestOf(queue));
    }
    const cards = workers.flatMap(({ stages }) => stages.filter((each) => each.stage === stage));
    const backlogSeconds = (jobs.waiting + this.#jobsToCome(bundle, stage)) * secondsOfJob(cards);
    return { workers: cards.length, jobs, oldestSeconds, backlogSeconds, ...batchFigures(cards) };
  }

  /** Runs and texts that wait for the first worker have no jobs yet, and must wake one where a stage that idles has none. */
  #jobsToCome(bundle: string, stage: number): number {
    if (stage > 0) return 0;
    return this.#feeder.waitingForWorkers(bundle) + (this.#classifier.wantsWorkers(bundle) ? 1 : 0);
  }
}

/** Age of the job that waits longest, seconds; 0 where none waits. */
async function oldestOf(queue: Queue): Promise<number> {
  // A job that only workers of another runtime are offered is delayed, again and again.
  const next = await Promise.all([
    queue.getPrioritized(0, 0),
    queue.getWaiting(0, 0),
    queue.getDelayed(0, 0),
  ]);
  const since = next.flat().map(({ timestamp }) => Date.now() - timestamp);
  return Math.max(0, ...since) / 1000;
}

/** What a job of a stage takes one worker. */
function secondsOfJob(cards: readonly StageCard[]): number {
  let [jobs, rows, rowsRun, seconds] = [0, 0, 0, 0];
  for (const card of cards) {
    jobs += card.jobs;
    rows += card.rows;
    rowsRun += card.rowsRun;
    seconds += workerSeconds(card);
  }
  const rowsOfJob = jobs === 0 ? UNMEASURED_ROWS : rows / jobs;
  return rowsOfJob * (rowsRun === 0 ? UNMEASURED_SECONDS : seconds / rowsRun);
}

/** What a worker took for its rows, whose threads work side by side. */
const workerSeconds = ({ seconds, threads = 1 }: StageCard): number => seconds / threads;

/** What the workers measured of their batches. */
function batchFigures(
  cards: readonly StageCard[],
): Pick<StageView, 'secondsPerRow' | 'batches' | 'rowsPerBatch' | 'batchFill'> {
  const rowsRun = sum(cards.map((card) => card.rowsRun));
  if (rowsRun === 0) return {};
  const secondsPerRow = sum(cards.map(workerSeconds)) / rowsRun;
  const telling = cards.filter(({ batches = 0 }) => batches > 0);
  const batches = sum(telling.map((card) => card.batches ?? 0));
  if (batches === 0) return { secondsPerRow };
  const room = sum(telling.map((card) => (card.batches ?? 0) * (card.batchTokens ?? 0)));
  return {
    secondsPerRow,
    batches,
    rowsPerBatch: sum(telling.map((card) => card.rowsRun)) / batches,
    // A row longer than a batch may be runs alone.
    batchFill: Math.min(1, share(sum(telling.map((card) => card.tokens ?? 0)), room)),
  };
}
