import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectRedis } from '#queue/redis-connection.js';
import { makeFolder } from '#pipeline/run-directory/durable-write.js';
import { UsageError } from '#run/usage-error.js';
import { freePort } from './free-port.js';
import type { ProducerPorts } from './producer-ports.js';
import { ServiceProcess } from './service-process.js';

export interface DevOptions {
  /** Directory of a bundle. */
  readonly model: string;
  /** Of each worker: `all`, `1`, `2-3`. */
  readonly stages: readonly string[];
  /** Whether there is a trainer. */
  readonly trainer: boolean;
  /** Folder of checkpoints that trainings may begin with. */
  readonly checkpoints: string;
  /** Inference threads of each worker. */
  readonly threads: number;
  /** A Redis that runs already; one is started where it is absent. */
  readonly redis?: string | undefined;
  /** Where runs, and what Redis keeps, are; it is there. */
  readonly folder: string;
  readonly ports: ProducerPorts;
  readonly onLine: (name: string, line: string) => void;
  /** Hears that a service cannot run as it was told to. */
  readonly onGiveUp: (error: ServiceEndedError) => void;
}

/** Without an answer for so long, Redis does not start. */
const REDIS_STARTS_WITHIN_MS = 10_000;
/** A service that ended is started again after so long, as a cluster does. */
const AGAIN_MS = 1000;
const STOPS_WITHIN_MS = 30_000;

/** A service that ends sooner than this after its start, so many times in a row, does not run at all. */
const AT_ONCE_MS = 15_000;
const GIVEN_UP_AFTER = 3;

/** A service that ended again and again as soon as it was started. */
export class ServiceEndedError extends Error {
  override readonly name = 'ServiceEndedError';

  constructor(service: string, lastLine: string) {
    super(`${service} ended ${GIVEN_UP_AFTER} times right after its start: ${lastLine}`);
  }
}

/** Redis, a producer, workers and a trainer on this machine, each a process. */
export class DevFleet {
  readonly #options: DevOptions;
  readonly #services = new Map<string, ServiceProcess>();
  #isStopping = false;

  constructor(options: DevOptions) {
    this.#options = options;
  }

  /** A Redis that was named is left to the services to reach. @throws UsageError where there is no redis-server, or it does not start */
  async start(): Promise<void> {
    const { folder, model, stages, threads, ports, checkpoints, trainer } = this.#options;
    const redis = this.#options.redis ?? (await this.#startRedis());
    const common = {
      SLUICE_REDIS_URL: redis,
      SLUICE_MODELS_ROOT: dirname(resolve(model)),
      SLUICE_TRAINING_ROOT: join(folder, 'trainings'),
      SLUICE_TRAINING_CHECKPOINTS: resolve(checkpoints),
    };
    this.#run('producer', 'producer', {
      ...common,
      SLUICE_PRODUCER_RUNS_ROOT: join(folder, 'runs'),
      SLUICE_PRODUCER_API_PORT: String(ports.api),
      SLUICE_PRODUCER_ADMIN_PORT: String(ports.admin),
    });
    for (const [index, each] of stages.entries()) {
      this.#run(`worker ${index + 1}`, 'worker', {
        ...common,
        SLUICE_WORKER_BUNDLE: model,
        SLUICE_WORKER_THREADS: String(threads),
        SLUICE_STAGES: each,
        SLUICE_WORKER_ADMIN_PORT: '0',
      });
    }
    if (trainer) this.#run('trainer', 'trainer', { ...common, SLUICE_TRAINER_ADMIN_PORT: '0' });
  }

  /** Workers and producer first, which still need Redis. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const { redis, ...others } = Object.fromEntries(this.#services);
    await Promise.all(Object.values(others).map((service) => service.stop(STOPS_WITHIN_MS)));
    await redis?.stop(STOPS_WITHIN_MS);
  }

  async #startRedis(): Promise<string> {
    const port = await freePort();
    const folder = join(this.#options.folder, 'redis');
    await makeFolder(folder);
    const settings = {
      bind: '127.0.0.1',
      port,
      dir: folder,
      save: '',
      appendonly: 'yes',
      maxmemory: '1gb',
      loglevel: 'warning',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const url = `redis://127.0.0.1:${port}`;
    this.#service('redis', 'redis-server', args, process.env);
    await expectAnswer(url);
    return url;
  }

  /** @param app folder of the service */
  #run(name: string, app: string, settings: Readonly<Record<string, string>>): void {
    const root = dirname(fileURLToPath(import.meta.resolve('#package.json')));
    const script = join(root, 'dist/apps', app, 'src/main.js');
    this.#service(name, process.execPath, [script], { ...process.env, ...settings });
  }

  /** @param ended how many times it ended at once before */
  #service(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv, ended = 0): void {
    const { onLine, onGiveUp } = this.#options;
    const begun = performance.now();
    const service = new ServiceProcess({
      name,
      command,
      args,
      env,
      onLine,
      onEnd: (_, how) => {
        onLine(name, `ended: ${how}`);
        const times = performance.now() - begun < AT_ONCE_MS ? ended + 1 : 0;
        // Its last lines are read meanwhile.
        setTimeout(() => {
          if (this.#isStopping) return;
          if (times === GIVEN_UP_AFTER) {
            onGiveUp(new ServiceEndedError(name, service.lastLine));
            return;
          }
          onLine(name, 'started again');
          this.#service(name, command, args, env, times);
        }, AGAIN_MS);
      },
    });
    this.#services.set(name, service);
  }
}

async function expectAnswer(url: string): Promise<void> {
  const redis = connectRedis({ url });
  redis.on('error', () => undefined);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((answer) => {
    timer = setTimeout(() => answer('late'), REDIS_STARTS_WITHIN_MS);
  });
  try {
    if ((await Promise.race([redis.ping(), late])) !== 'late') return;
    throw new UsageError(`redis-server does not answer at ${basename(url)}: look at what it says above.`);
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}
