/** A run of the fleet comes to the same bytes, whatever dies: real worker processes, a real Redis, SIGKILL. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { buildChild } from '../built-child.js';
import { toyCorpusText } from '../toy-ports.js';
import type { RunOutcome } from '../toy-run.js';
import { outcomeOf, toyRun } from '../toy-run.js';
import { RedisServer } from './redis-server.js';
import type { OpenFleet, ToyWorker } from './toy-fleet.js';
import { openFleet, openToyWorker } from './toy-fleet.js';

/** 60 chunks of 10 rows. */
const corpus = toyCorpusText(595);

let root: string;
let built: string;
let child: string;
let undisturbed: RunOutcome;
let redis: RedisServer;
const workers = new Set<ToyWorker>();
const processes = new Set<ChildProcess>();
let fleet: OpenFleet | undefined;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-fleet-'));
  // Among the packages that it imports.
  const cache = join(import.meta.dirname, '../../node_modules/.cache');
  await mkdir(cache, { recursive: true });
  built = await mkdtemp(join(cache, 'sluice-fleet-'));
  child = await buildChild('fleet/toy-worker.child.ts', built);
  const folder = await corpusFolder();
  await toyRun({ folder });
  undisturbed = await outcomeOf(folder);
});
afterAll(async () => {
  for (const folder of [root, built]) await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  redis = await RedisServer.start();
});
afterEach(async () => {
  await fleet?.close();
  fleet = undefined;
  for (const worker of workers) await worker.close();
  workers.clear();
  for (const started of processes) started.kill('SIGKILL');
  processes.clear();
  await redis.stop();
});

async function corpusFolder(): Promise<string> {
  const folder = await mkdtemp(join(root, 'run-'));
  await writeFile(join(folder, 'corpus.txt'), corpus);
  return folder;
}

function work(options?: Parameters<typeof openToyWorker>[1]): ToyWorker {
  const worker = openToyWorker(redis.url, options);
  workers.add(worker);
  return worker;
}

/** A worker in a process of its own, once it takes jobs. */
async function workerProcess(pauseMs: number): Promise<ChildProcess> {
  const started = spawn(process.execPath, [child, redis.url, String(pauseMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.add(started);
  await once(started.stdout, 'data');
  return started;
}

/** Runs the corpus over the fleet. @param disturb what happens meanwhile, until the run is over */
async function runOverFleet(
  folder: string,
  disturb: (isOver: () => boolean) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  let over = false;
  const run = toyRun({
    folder,
    fleet: (id) => {
      fleet = openFleet(redis.url, id);
      return fleet.labeller;
    },
    options: { chunksInFlight: 8 },
  }).finally(() => (over = true));
  // Else an error of the run would be nobody's until the disturbance is over.
  run.catch(() => undefined);
  await disturb(() => over);
  await run;
  expect(await outcomeOf(folder)).toEqual(undisturbed);
}

it('undisturbed', async () => {
  work();
  await runOverFleet(await corpusFolder());
  expect(fleet!.retried).toEqual([]);
});

it('worker processes killed again and again', async () => {
  let kills = 0;
  await workerProcess(30);
  let victim = await workerProcess(30);
  await runOverFleet(await corpusFolder(), async (isOver) => {
    while (!isOver()) {
      await sleep(400);
      if (isOver()) break;
      victim.kill('SIGKILL');
      await once(victim, 'close');
      kills += 1;
      victim = await workerProcess(30);
    }
  });
  expect(kills).toBeGreaterThan(0);
});

it('a worker that is told to stop finishes what it has', async () => {
  const first = await workerProcess(50);
  await runOverFleet(await corpusFolder(), async () => {
    await workerProcess(50);
    first.kill('SIGTERM');
    expect(await once(first, 'close')).toEqual([0, null]);
  });
  expect(fleet!.retried).toEqual([]);
});

it('everything in Redis lost', async () => {
  work({ pauseMs: 40 });
  await runOverFleet(await corpusFolder(), async (isOver) => {
    const admin = new Redis(redis.url);
    for (let time = 0; time < 3 && !isOver(); time += 1) {
      await sleep(150);
      await admin.flushall();
    }
    admin.disconnect();
  });
  expect(fleet!.retried.length).toBeGreaterThan(0);
});

it('Redis killed and back', async () => {
  work({ pauseMs: 40 });
  await runOverFleet(await corpusFolder(), async () => {
    await sleep(200);
    await redis.kill();
    await sleep(1500);
    await redis.restart();
  });
});

it('a worker of another runtime, whose labels are not taken', async () => {
  const foreign = work({ fingerprint: 'another' });
  const own = work({ pauseMs: 5 });
  await runOverFleet(await corpusFolder());
  expect(foreign.begun()).toBe(0);
  expect(own.begun()).toBeGreaterThanOrEqual(60);
});

it('a chunk that no worker can label ends the run with its number, and the run can be resumed', async () => {
  const folder = await corpusFolder();
  const broken = work({
    label: () => Promise.reject(new Error('no model')),
  });
  const run = toyRun({
    folder,
    fleet: (id) => {
      fleet = openFleet(redis.url, id, { attempts: 2 });
      return fleet.labeller;
    },
  });
  await expect(run).rejects.toThrow(/Chunk \d+ of run \S+ was given to the workers 2 times/);
  await broken.close();
  workers.delete(broken);
  await fleet!.close();
  work();
  await runOverFleet(folder);
});
