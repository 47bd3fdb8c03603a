import type { Settings } from '#config/settings-schema.js';
import type { ServiceHealth } from '#metrics/admin-routes.js';
import type { Metrics } from '#metrics/metrics.js';
import { ModelRegistry } from '#model/registry/model-registry.js';
import type { RedisConnection } from '#queue/redis-connection.js';
import { connectRedis, expectQueueRedis, tellOutages } from '#queue/redis-connection.js';
import { redisPlaces } from '#queue/redis-places.js';
import { TrainingWorker } from '#queue/training-worker.js';
import { TrainingFolders } from '#training/job/training-folders.js';
import type { Log } from './log.js';
import { TrainingRunner } from './training-runner.js';

/** One trainer: takes trainings from the queue, one at a time, and works on them in processes of their own. */
export class FleetTrainer implements ServiceHealth {
  readonly #settings: Settings;
  readonly #metrics: Metrics;
  readonly #log: Log;
  #redis: RedisConnection | undefined;
  #worker: TrainingWorker | undefined;
  #runner: TrainingRunner | undefined;
  /** Why it is not ready. */
  #notReady: string | undefined = 'starting';

  constructor(settings: Settings, metrics: Metrics, log: Log) {
    this.#settings = settings;
    this.#metrics = metrics;
    this.#log = log;
  }

  problem(): string | undefined {
    if (this.#worker?.active === undefined || this.#runner === undefined) return undefined;
    const still = (performance.now() - this.#runner.lastHeard) / 1000;
    if (still < this.#settings.trainer.wedgedSeconds) return undefined;
    return `wedged: nothing was heard of training ${this.#worker.active} for ${Math.floor(still)} s`;
  }

  notReady(): string | undefined {
    if (this.#notReady !== undefined) return this.#notReady;
    return this.#redis?.status === 'ready' ? undefined : 'Redis does not answer';
  }

  /** @throws RedisUnfitError */
  async start(): Promise<void> {
    const { trainer, training, models, redis: redisSettings } = this.#settings;
    const folders = new TrainingFolders(training.root);
    await folders.open();
    const redis = connectRedis(redisPlaces(redisSettings).queue);
    this.#redis = redis;
    tellOutages(redis, (message) => this.#log.warn(`Redis: ${message}`));
    await expectQueueRedis(redis);
    const runner = new TrainingRunner({
      folders,
      models: new ModelRegistry(models.root),
      settings: trainer,
      metrics: this.#metrics,
      log: this.#log,
    });
    this.#runner = runner;
    this.#worker = new TrainingWorker(redis, (id, signal) => runner.run(id, signal), {
      lockMs: trainer.lockSeconds * 1000,
      onTrouble: (error) => this.#log.warn(String(error)),
    });
    this.#notReady = undefined;
    this.#log.log(`Waiting for trainings of ${training.root}.`);
  }

  /** Lets the training keep a checkpoint, with which another trainer goes on; takes nothing more. */
  async stop(): Promise<void> {
    this.#notReady = 'stopping';
    const late = new Promise((resolve) => {
      setTimeout(resolve, this.#settings.trainer.drainSeconds * 1000).unref();
    });
    await Promise.race([this.#worker?.close(), late]);
    this.#redis?.disconnect();
  }

  /** Brings the gauges up to date. */
  refresh(): Promise<void> {
    this.#metrics.set('jobs_active', {}, this.#worker?.active === undefined ? 0 : 1);
    return Promise.resolve();
  }
}
