/** The real services, as processes: producers and workers over a real Redis, each on ports of its own. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { projectFolder } from '../project-folder.js';
import { spamBundle } from '../run-cli.js';
import { RedisServer } from './redis-server.js';

const apps = join(projectFolder, 'dist/apps');

/** One service that runs. */
export class Service {
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  #output = '';

  /** @param under a command and its arguments, which starts the rest of its arguments */
  constructor(
    app: 'producer' | 'worker' | 'trainer',
    env: Readonly<Record<string, string>>,
    under: readonly string[] = [],
  ) {
    const node = [process.execPath, join(apps, app, 'src/main.js')];
    const [command, ...args] = [...under, ...node];
    this.#child = spawn(command!, args, {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (block: string) => (this.#output += block));
    }
    this.ended = once(this.#child, 'exit').then(([code, signal]) => signal ?? code);
  }

  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for something that it says. @throws Error where it ends before */
  async said(what: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = what.exec(this.#output);
      if (found !== null) return found;
      const blocks = [this.#child.stdout!, this.#child.stderr!].map((stream) => once(stream, 'data'));
      const ended = await Promise.race([...blocks.map((block) => block.then(() => undefined)), this.ended]);
      if (ended !== undefined) throw new Error(`The service ended (${ended}): ${this.#output}`);
    }
  }
}

export interface Producer extends Service {
  /** Addresses of its API and its admin server. */
  readonly api: string;
  readonly admin: string;
}

export class ServiceFleet {
  readonly redis: RedisServer;
  readonly folder: string;
  readonly #services = new Set<Service>();
  readonly #adopted = new Set<ChildProcess>();

  private constructor(redis: RedisServer, folder: string) {
    this.redis = redis;
    this.folder = folder;
  }

  /** @param redisSettings as redis.conf has them */
  static async start(redisSettings: Readonly<Record<string, string>> = {}): Promise<ServiceFleet> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-services-'));
    return new ServiceFleet(await RedisServer.start(redisSettings), folder);
  }

  /** @returns once it listens */
  async producer(
    env: Readonly<Record<string, string>> = {},
    under: readonly string[] = [],
  ): Promise<Producer> {
    const service = this.#start(
      'producer',
      {
        SLUICE_PRODUCER_RUNS_ROOT: join(this.folder, 'runs'),
        SLUICE_MODELS_ROOT: dirname(spamBundle),
        SLUICE_TRAINING_ROOT: join(this.folder, 'trainings'),
        SLUICE_PRODUCER_API_PORT: '0',
        SLUICE_PRODUCER_ADMIN_PORT: '0',
        SLUICE_PRODUCER_FEED_RECONCILE_SECONDS: '1',
        ...env,
      },
      under,
    );
    const [, api = '', admin = ''] = await service.said(/API: (\S+), its.* queues: (http:[^\s"]+)/);
    return Object.assign(service, { api, admin });
  }

  /** @returns once it takes jobs, with the address of its admin server */
  async worker(env: Readonly<Record<string, string>> = {}): Promise<Service & { readonly admin: string }> {
    const service = this.#start('worker', {
      SLUICE_WORKER_BUNDLE: spamBundle,
      SLUICE_WORKER_ADMIN_PORT: '0',
      SLUICE_WORKER_LOCK_SECONDS: '2',
      ...env,
    });
    const [, admin = ''] = await service.said(/Health and metrics: (http:[^\s"]+)/);
    await service.said(/Serving stages/);
    return Object.assign(service, { admin });
  }

  /** @returns once it takes trainings, with the address of its admin server */
  async trainer(env: Readonly<Record<string, string>> = {}): Promise<Service & { readonly admin: string }> {
    const service = this.#start('trainer', {
      SLUICE_TRAINING_ROOT: join(this.folder, 'trainings'),
      SLUICE_TRAINER_ADMIN_PORT: '0',
      SLUICE_TRAINER_LOCK_SECONDS: '2',
      ...env,
    });
    const [, admin = ''] = await service.said(/Health and metrics: (http:[^\s"]+)/);
    await service.said(/Waiting for trainings/);
    return Object.assign(service, { admin });
  }

  /** A worker of another making; it is stopped with the others. */
  adopt(child: ChildProcess): void {
    this.#adopted.add(child);
  }

  async stop(): Promise<void> {
    for (const child of this.#adopted) child.kill('SIGKILL');
    for (const service of this.#services) service.kill('SIGKILL');
    await Promise.all(Array.from(this.#services, ({ ended }) => ended));
    await this.redis.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  #start(
    app: 'producer' | 'worker' | 'trainer',
    env: Readonly<Record<string, string>>,
    under?: readonly string[],
  ): Service {
    const service = new Service(app, { SLUICE_REDIS_URL: this.redis.url, ...env }, under);
    this.#services.add(service);
    return service;
  }
}
