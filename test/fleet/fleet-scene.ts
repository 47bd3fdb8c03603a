/** What the tests of the fleet have in common: a real Redis, worker processes, a run whose outcome is known. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { buildChild } from '../built-child.js';
import { ToyWriter } from '../toy-ports.js';
import type { RunOutcome } from '../toy-run.js';
import { outcomeOf, toyRun } from '../toy-run.js';
import { RedisServer } from './redis-server.js';
import type { OpenFleet, ToyWorker, ToyWorkerOptions } from './toy-fleet.js';
import { openFleet, openToyWorker } from './toy-fleet.js';

/** A worker for each stage, the first two of three together. */
export const twoSpans: readonly [first: ToyWorkerOptions, last: ToyWorkerOptions] = [
  { stages: [0, 1] },
  { stages: [2, 2] },
];

interface SceneOptions {
  readonly attempts?: number;
  readonly flaky?: number;
  /** That a chunk takes to be written. */
  readonly writeMs?: number;
}

interface Pace {
  readonly chunkRows: number;
  readonly chunksInFlight: number;
}

export class FleetScene {
  readonly undisturbed: RunOutcome;
  readonly workerScript: string;
  readonly feederScript: string;
  readonly #root: string;
  readonly #built: string;
  readonly #corpus: string;
  readonly #pace: Pace;
  #redis: RedisServer | undefined;
  #fleet: OpenFleet | undefined;
  readonly #workers = new Set<ToyWorker>();
  readonly #processes = new Set<ChildProcess>();

  private constructor(scene: {
    root: string;
    built: string;
    corpus: string;
    pace: Pace;
    scripts: { worker: string; feeder: string };
    undisturbed: RunOutcome;
  }) {
    this.#root = scene.root;
    this.#built = scene.built;
    this.#corpus = scene.corpus;
    this.#pace = scene.pace;
    this.workerScript = scene.scripts.worker;
    this.feederScript = scene.scripts.feeder;
    this.undisturbed = scene.undisturbed;
  }

  /** @param pace rows of a chunk, and chunks in flight */
  static async open(corpus: string, pace: Pace = { chunkRows: 10, chunksInFlight: 8 }): Promise<FleetScene> {
    const root = await mkdtemp(join(tmpdir(), 'sluice-fleet-'));
    // Among the packages that the scripts import.
    const cache = join(import.meta.dirname, '../../node_modules/.cache');
    await mkdir(cache, { recursive: true });
    const built = await mkdtemp(join(cache, 'sluice-fleet-'));
    const scripts = {
      worker: await buildChild('fleet/toy-worker.child.ts', join(built, 'worker')),
      feeder: await buildChild('fleet/toy-feeder.child.ts', join(built, 'feeder')),
    };
    const folder = await mkdtemp(join(root, 'run-'));
    await writeFile(join(folder, 'corpus.txt'), corpus);
    await toyRun({ folder, chunkRows: pace.chunkRows });
    return new FleetScene({ root, built, corpus, pace, scripts, undisturbed: await outcomeOf(folder) });
  }

  get redis(): RedisServer {
    if (this.#redis === undefined) throw new Error('This scene has no Redis yet.');
    return this.#redis;
  }

  get fleet(): OpenFleet {
    if (this.#fleet === undefined) throw new Error('This scene has no run yet.');
    return this.#fleet;
  }

  async begin(): Promise<void> {
    this.#redis = await RedisServer.start();
  }

  /** Ends everything that a test began. */
  async end(): Promise<void> {
    await this.#fleet?.close();
    this.#fleet = undefined;
    for (const worker of this.#workers) await worker.close();
    this.#workers.clear();
    for (const started of this.#processes) started.kill('SIGKILL');
    this.#processes.clear();
    await this.#redis?.stop();
  }

  async close(): Promise<void> {
    for (const folder of [this.#root, this.#built]) await rm(folder, { recursive: true, force: true });
  }

  async corpusFolder(corpus = this.#corpus): Promise<string> {
    const folder = await mkdtemp(join(this.#root, 'run-'));
    await writeFile(join(folder, 'corpus.txt'), corpus);
    return folder;
  }

  /** A worker in this process. */
  work(options: ToyWorkerOptions = {}): ToyWorker {
    const worker = openToyWorker(this.redis, { quarantine: this.workerScript, ...options });
    this.#workers.add(worker);
    return worker;
  }

  /** @param ms after which jobs that it has go back to the queue */
  async stopWork(worker: ToyWorker, ms?: number): Promise<void> {
    this.#workers.delete(worker);
    await worker.close(ms);
  }

  /** A worker in a process of its own, once it takes jobs. @param deadly step at which it dies, the n-th time */
  async workerProcess(options: ToyWorkerOptions, deadly = '', nth = 1): Promise<ChildProcess> {
    const args = [this.workerScript, this.redis.url, JSON.stringify(options), deadly, String(nth)];
    const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#processes.add(started);
    await once(started.stdout, 'data');
    return started;
  }

  /** A run in a process of its own. @returns how it ended: its exit code, or the signal that killed it */
  async feederProcess(folder: string, deadly = '', nth = 1): Promise<number | string> {
    const args = [this.feederScript, this.redis.url, folder, deadly, String(nth)];
    const started = spawn(process.execPath, args, { stdio: 'inherit' });
    this.#processes.add(started);
    const [code, signal] = await once(started, 'exit');
    return signal ?? code;
  }

  /** Runs a corpus over the fleet. @param disturb what happens meanwhile, until the run is over */
  async run(
    folder: string,
    disturb: (isOver: () => boolean) => Promise<void> = () => Promise.resolve(),
    options: SceneOptions = {},
  ): Promise<void> {
    let over = false;
    const run = toyRun({
      folder,
      fleet: (directory) => {
        this.#fleet = openFleet(this.redis, directory.record.id, options);
        return this.#fleet.labeller;
      },
      parts: options.writeMs === undefined ? {} : { writer: new SlowWriter(options.writeMs) },
      chunkRows: this.#pace.chunkRows,
      options: { chunksInFlight: this.#pace.chunksInFlight },
    }).finally(() => (over = true));
    // Else an error of the run would be nobody's until the disturbance is over.
    run.catch(() => undefined);
    await disturb(() => over);
    await run;
  }

  /** The same, and it comes to what it comes to undisturbed. */
  async runToTheSame(
    folder: string,
    disturb?: (isOver: () => boolean) => Promise<void>,
    options?: SceneOptions,
  ): Promise<void> {
    await this.run(folder, disturb, options);
    expect(await outcomeOf(folder)).toEqual(this.undisturbed);
  }
}

class SlowWriter extends ToyWriter {
  readonly #ms: number;

  constructor(ms: number) {
    super();
    this.#ms = ms;
  }

  override async rows(...args: Parameters<ToyWriter['rows']>): Promise<Buffer> {
    await sleep(this.#ms);
    return super.rows(...args);
  }
}
