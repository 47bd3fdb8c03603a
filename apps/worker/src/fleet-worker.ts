import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Settings } from '#config/settings-schema.js';
import { fingerprint } from '#inference/fingerprint.js';
import type { ServiceHealth } from '#metrics/admin-routes.js';
import type { Metrics } from '#metrics/metrics.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { openBundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { bundleDirectory } from '#model/registry/model-registry.js';
import { batchTokensOf } from '#pipeline/engine/stage-engine.js';
import { activationBudgets } from '#pipeline/fleet/activation-budgets.js';
import type { StageJob } from '#pipeline/fleet/fleet-ports.js';
import { PolicyEngines } from '#pipeline/fleet/policy-engines.js';
import { QuarantineProcess } from '#pipeline/fleet/quarantine-process.js';
import { RememberingStages } from '#pipeline/fleet/remembering-stages.js';
import { RowMemories } from '#pipeline/fleet/row-memories.js';
import type { JobWorkParts } from '#pipeline/fleet/work-on-job.js';
import { dropUnwanted, workOnJob } from '#pipeline/fleet/work-on-job.js';
import { activationWarnings } from '#queue/activation-warnings.js';
import { BullmqTransport } from '#queue/bullmq-transport.js';
import { ComingJobs } from '#queue/coming-jobs.js';
import { RedisActivationStore } from '#queue/redis-activation-store.js';
import type { RedisConnection } from '#queue/redis-connection.js';
import { connectRedis, expectQueueRedis, tellOutages } from '#queue/redis-connection.js';
import { redisPlaces } from '#queue/redis-places.js';
import { RedisResultStore } from '#queue/redis-result-store.js';
import { StageWorker } from '#queue/stage-worker.js';
import { forgetWorker, tellOfWorker } from '#queue/worker-registry.js';
import { openLabeller } from '#run/open-labeller.js';
import { servedStages } from './served-stages.js';
import { StageFigures } from './stage-figures.js';

/** How a service tells what it does. */
export interface Log {
  log(message: string): void;
  warn(message: string): void;
  debug(message: string): void;
}

const MEBIBYTE = 2 ** 20;
/** Between two cards in the registry, ms. */
const TELL_MS = 5000;
/** After draining, so long is waited for a Redis that is away; the locks of its jobs end by themselves then. */
const LET_GO_MS = 5000;
/** Of a connection whose server cannot be reached; one that is reached and does not answer is not among them. */
const AWAY: ReadonlySet<string> = new Set(['connecting', 'reconnecting', 'close', 'end']);
const NOT_STARTED = 'starting';
/** Of rows that a worker has done again. */
const RETRY_REASONS = [
  'activations-missing',
  'activations-damaged',
  'activations-refused',
  'suspect',
] as const;

const isAway = (redis: RedisConnection | undefined): boolean => redis !== undefined && AWAY.has(redis.status);

/** One worker: a bundle's stages at work on the jobs of a queue. */
export class FleetWorker implements ServiceHealth {
  readonly #settings: Settings;
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #id = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  readonly #closing: (() => Promise<unknown>)[] = [];
  readonly #connections: RedisConnection[] = [];
  #worker: StageWorker | undefined;
  /** Of suspect rows, that are under way or wait for their turn. */
  #trials = 0;
  #redis: RedisConnection | undefined;
  /** Where it gives rows to workers of other stages, or takes them from there. */
  #activations: RedisConnection | undefined;
  #budgets: JobWorkParts['budgets'] | undefined;
  /** Why it is not ready. */
  #notReady: string | undefined = NOT_STARTED;

  constructor(settings: Settings, metrics: Metrics, log: Log) {
    this.#settings = settings;
    this.#metrics = metrics;
    this.#log = log;
  }

  problem(): string | undefined {
    const still = this.#stuckSeconds();
    if (still < this.#settings.worker.wedgedSeconds) return undefined;
    return `wedged: it has ${this.#worker?.active} jobs, and none went on for ${Math.floor(still)} s`;
  }

  notReady(): string | undefined {
    if (this.#notReady !== undefined) return this.#notReady;
    if (this.#redis?.status !== 'ready') return 'Redis does not answer';
    return isAway(this.#activations) ? 'Redis of the activations does not answer' : undefined;
  }

  /**
   * Takes jobs once the bundle has proven itself on its golden texts.
   * @throws BundleError, GoldenMismatchError, RedisUnfitError, ServedStagesError: it cannot work here
   */
  async start(): Promise<void> {
    const { worker: settings, redis: redisSettings } = this.#settings;
    const bundle = await openBundle(await bundleDirectory(settings.bundle));
    const layout = layoutOf(bundle.manifest);
    const stages = servedStages(settings.stages, layout);
    const places = redisPlaces(redisSettings);
    const redis = this.#connect(places.queue, 'the queue');
    this.#redis = redis;
    await expectQueueRedis(redis);
    const activations = this.#connect(places.activations, 'the activations');
    if (stages[0] > 0 || stages[1] < layout.stages.length - 1) {
      this.#activations = activations;
      // Whether it is there, and fits, is known before the first job needs it.
      void activationWarnings(activations, redis, settings.blobMemory * MEBIBYTE).then(
        (warnings) => warnings.forEach((warning) => this.#log.warn(warning)),
        () => undefined,
      );
    }
    const opened = await openLabeller(bundle, {
      workers: settings.threads,
      tokenizerThreads: settings.tokenizerThreads,
      batchTokens: settings.batchTokens,
      survivorMemory: settings.survivorMemory,
      stages,
      provider: settings.device,
    });
    this.#closing.push(() => opened.close());
    this.#beginCounting(stages);
    this.#metrics.set('worker_threads', {}, settings.threads);
    const served = Array.from({ length: stages[1] - stages[0] + 1 }, (_, index) => stages[0] + index);
    const figures = new StageFigures(
      this.#metrics,
      served.map((stage) => ({
        stage,
        batchTokens: batchTokensOf(layout.stages[stage]!, settings.batchTokens),
        threads: settings.threads,
      })),
      () => this.#worker?.moved(),
    );
    const transport = new BullmqTransport(redis, bundle.hash);
    this.#closing.push(() => transport.close());
    const coming = new ComingJobs(transport, stages[0]);
    this.#closing.push(() => Promise.resolve(coming.close()));
    const blobBytes = settings.blobMemory * MEBIBYTE;
    const budgets = activationBudgets(settings.activationMemory * MEBIBYTE, blobBytes);
    this.#budgets = budgets;
    const classes = layout.labels.length;
    const memories =
      settings.dedupeMemory === 0 ? undefined : new RowMemories(settings.dedupeMemory * MEBIBYTE, classes);
    const parts: JobWorkParts = {
      layout,
      lastStage: stages[1],
      tokenizer: opened.tokenizer,
      engines: new PolicyEngines((policy) => {
        const engine = opened.withPolicy(policy, {
          telemetry: figures,
          // What texts there are at the first stage comes at once; later ones come as workers before this one make them.
          patience:
            stages[0] === 0
              ? undefined
              : {
                  ms: settings.waitMs,
                  moreMayCome: () =>
                    this.#worker?.takesMore === true && !budgets.arrived.isFull && coming.mayCome(),
                },
        });
        if (memories === undefined) return engine;
        return new RememberingStages(engine, memories, classes, (stage, rows) =>
          figures.repeated(stage, rows),
        );
      }),
      transport,
      results: new RedisResultStore(redis),
      activations: new RedisActivationStore(activations),
      budgets,
      blobBytes,
      tryRows: this.#quarantine(bundle),
      onWait: () => this.#worker?.moved(),
      onRetry: (reason, rows) => this.#metrics.count('retries_total', { reason }, rows),
      onSuspect: (job, why) => this.#suspect(job, why),
    };
    this.#worker = new StageWorker(
      redis,
      (job, isSuspect, signal) => this.#work(job, isSuspect, signal, parts, figures),
      {
        bundle: bundle.hash,
        stages: served,
        fingerprint: fingerprint(settings.device),
        jobs: settings.jobs,
        lockMs: settings.lockSeconds * 1000,
        dropUnwanted: (job) => dropUnwanted(job, parts),
        onTrouble: (error) => this.#log.warn(String(error)),
      },
    );
    await this.#tellOften(redis, bundle, figures);
    this.#notReady = undefined;
    this.#log.log(
      `Serving stages ${stages[0] + 1} to ${stages[1] + 1} of ${bundle.directory} as ${this.#id}.`,
    );
  }

  /** Finishes what it has, or gives it back; takes nothing more. */
  async stop(): Promise<void> {
    this.#notReady = 'stopping';
    const drainMs = this.#worker?.active ? this.#settings.worker.drainSeconds * 1000 : 0;
    const given = new AbortController();
    const isClosed = await Promise.race([
      this.#close(drainMs).then(() => true),
      sleep(drainMs + LET_GO_MS, false, { signal: given.signal }),
    ]);
    given.abort();
    if (!isClosed) this.#log.warn('Redis does not answer; the jobs go to others when their locks end.');
  }

  async #close(drainMs: number): Promise<void> {
    await this.#worker?.close(drainMs);
    for (const close of this.#closing.toReversed()) await close();
  }

  /** Brings the gauges up to date. */
  refresh(): Promise<void> {
    this.#metrics.set('jobs_active', {}, this.#worker?.active ?? 0);
    this.#metrics.set('worker_stuck_seconds', {}, this.#stuckSeconds());
    const { survivors, arrived } = this.#budgets ?? {};
    if (this.#activations !== undefined)
      this.#metrics.set('redis_up', { redis: 'activations' }, isAway(this.#activations) ? 0 : 1);
    this.#metrics.set('activation_bytes', {}, (survivors?.used ?? 0) + (arrived?.used ?? 0));
    return Promise.resolve();
  }

  /** How long it has had jobs of which none went on; 0 where it has none, or waits for what is not its own. */
  #stuckSeconds(): number {
    const worker = this.#worker;
    if (worker === undefined || worker.active === 0) return 0;
    // A trial of suspect rows has a time limit of its own; and starting again brings no Redis back.
    if (this.#trials > 0 || this.#connections.some(isAway)) return 0;
    return (performance.now() - worker.lastMoved) / 1000;
  }

  /** Shows the counts of the stages before they have any jobs. */
  #beginCounting([first, last]: readonly [number, number]): void {
    for (const reason of RETRY_REASONS) this.#metrics.begin('retries_total', { reason });
    for (let stage = first; stage <= last; stage += 1) {
      const labels = { stage: String(stage + 1) };
      for (const outcome of ['done', 'dropped', 'failed'])
        this.#metrics.begin('jobs_total', { ...labels, outcome });
      this.#metrics.begin('rows_repeated_total', labels);
      for (const name of ['stage_seconds', 'stage_rows', 'stage_batch_tokens'] as const) {
        this.#metrics.begin(name, labels);
      }
    }
  }

  async #work(
    job: StageJob,
    isSuspect: boolean,
    signal: AbortSignal,
    parts: JobWorkParts,
    figures: StageFigures,
  ): Promise<void> {
    const stage = String(job.stage + 1);
    figures.jobTaken(job.stage, job.rows.length);
    try {
      const outcome = await workOnJob(job, isSuspect, parts, signal);
      this.#metrics.count('jobs_total', { stage, outcome });
    } catch (error) {
      this.#metrics.count('jobs_total', { stage, outcome: 'failed' });
      throw error;
    }
  }

  #connect(place: Parameters<typeof connectRedis>[0], what: string): RedisConnection {
    const redis = connectRedis(place);
    this.#connections.push(redis);
    tellOutages(redis, (message) => this.#log.warn(`Redis of ${what}: ${message}`));
    this.#closing.push(() => Promise.resolve(redis.disconnect()));
    return redis;
  }

  #quarantine({ directory }: Bundle): JobWorkParts['tryRows'] {
    const { device, batchTokens, trialSeconds } = this.#settings.worker;
    const script = fileURLToPath(import.meta.resolve('./quarantine.child.js'));
    const process = new QuarantineProcess({
      script,
      args: [directory, device, String(batchTokens)],
      timeoutMs: trialSeconds * 1000,
    });
    this.#closing.push(() => Promise.resolve(process.close()));
    return async (rows) => {
      this.#trials += 1;
      try {
        return await process.tryRows(rows);
      } finally {
        this.#trials -= 1;
        this.#worker?.moved();
      }
    };
  }

  #suspect({ run, chunk, rows }: StageJob, why: string): void {
    this.#metrics.count('retries_total', { reason: 'suspect' }, rows.length);
    this.#log.warn(`${rows.length} rows of chunk ${chunk} of run ${run} are tried by themselves: ${why}`);
  }

  async #tellOften(redis: RedisConnection, bundle: Bundle, figures: StageFigures): Promise<void> {
    const card = {
      id: this.#id,
      host: hostname(),
      bundle: bundle.hash,
      fingerprint: fingerprint(this.#settings.worker.device),
    };
    const tell = (): Promise<void> => tellOfWorker(redis, { ...card, stages: figures.cards });
    await tell();
    const timer = setInterval(() => {
      tell().catch((error: unknown) => this.#log.debug(`The registry of workers: ${String(error)}`));
    }, TELL_MS);
    this.#closing.push(async () => {
      clearInterval(timer);
      if (redis.status === 'ready') await forgetWorker(redis, card.id);
    });
  }
}
