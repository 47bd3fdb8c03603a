/** Rows that nobody waits for any more leave nothing behind. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisActivationStore } from '#queue/redis-activation-store.js';
import { buildChild } from '../built-child.js';
import { projectFolder } from '../project-folder.js';
import { RedisServer } from './redis-server.js';
import { toyChunk } from './toy-chunk.js';
import { openFleet, openToyWorker } from './toy-fleet.js';

let server: RedisServer;
let redis: Redis;
let folder: string;
let quarantine: string;
beforeAll(async () => {
  // Among the packages that the script imports.
  const cache = join(projectFolder, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(join(cache, 'sluice-unwanted-'));
  quarantine = await buildChild('fleet/toy-worker.child.ts', folder);
  server = await RedisServer.start();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Puts come to nothing before they are let go on. */
class SlowStore extends RedisActivationStore {
  readonly puts: Promise<void>[] = [];
  goOn = (): void => undefined;
  readonly #mayGoOn = new Promise<void>((resolve) => (this.goOn = resolve));

  override put(key: string, bytes: Uint8Array): Promise<void> {
    const put = this.#mayGoOn.then(() => super.put(key, bytes));
    this.puts.push(put);
    return put;
  }
}

it('activations of jobs that failed for good', async () => {
  const workers = [
    openToyWorker(server, { stages: [0, 0] }),
    openToyWorker(server, { stages: [1, 2], isBroken: true }),
  ];
  const fleet = openFleet(server, 'failed', { attempts: 2 });
  await expect(fleet.labeller.label(toyChunk(0, 40), new AbortController().signal)).rejects.toThrow(
    'came back without results',
  );
  expect(workers[1]!.begun[1]).toBeGreaterThan(0);
  expect(await redis.keys('sluice:activations:*')).toEqual([]);
  await fleet.close();
  for (const worker of workers) await worker.close();
});

it.each([
  ['whose job could not be given to the queue', { stages: [0, 0], failsToAdd: 2 }],
  ['of jobs that are tried by themselves', { stages: [0, 0] }],
] as const)('activations %s', async (_, options) => {
  const workers = [
    openToyWorker(server, options),
    openToyWorker(server, { stages: [1, 2], suspectsAll: true, quarantine }),
  ];
  const fleet = openFleet(server, `tried-${'failsToAdd' in options}`);
  const { labels } = await fleet.labeller.label(toyChunk(0, 40), new AbortController().signal);
  expect(labels.rows).toBe(40);
  expect(workers[1]!.suspects()).toBeGreaterThan(0);
  await expect.poll(() => redis.keys('sluice:activations:*')).toEqual([]);
  await fleet.close();
  for (const worker of workers) await worker.close();
});

it('activations that were on their way when the rows were given up', { timeout: 30_000 }, async () => {
  const store = new SlowStore(redis);
  const worker = openToyWorker(server, { stages: [0, 0], store: () => store });
  const fleet = openFleet(server, 'given-up', { urgent: true });
  const givenUp = new AbortController();
  const found = fleet.labeller.label(toyChunk(0, 40), givenUp.signal);
  await expect.poll(() => store.puts.length, { timeout: 10_000 }).toBeGreaterThan(0);
  givenUp.abort(new Error('given up'));
  await expect(found).rejects.toThrow('given up');
  // The worker lets go of the job, though Redis has not taken what it put there.
  await expect.poll(() => redis.keys('*:r-given-up-*'), { timeout: 15_000 }).toEqual([]);
  store.goOn();
  await Promise.all(store.puts);
  await expect.poll(() => redis.keys('sluice:activations:*')).toEqual([]);
  await fleet.close();
  await worker.close();
});

it('jobs for a runtime that is gone, and their activations', async () => {
  const first = openToyWorker(server, { stages: [0, 0] });
  // The only one of its stages: none of the first one's runtime is left.
  const deep = openToyWorker(server, { stages: [1, 2], fingerprint: 'another' });
  const fleet = openFleet(server, 'gone', { urgent: true });
  const givenUp = new AbortController();
  const found = fleet.labeller.label(toyChunk(0, 40), givenUp.signal);
  await expect.poll(() => redis.keys('sluice:activations:*:s2-*'), { timeout: 10_000 }).not.toEqual([]);
  givenUp.abort(new Error('given up'));
  await expect(found).rejects.toThrow('given up');
  await expect.poll(() => redis.keys('*r-gone-*'), { timeout: 15_000 }).toEqual([]);
  await expect.poll(() => redis.keys('sluice:activations:*')).toEqual([]);
  await fleet.close();
  for (const worker of [first, deep]) await worker.close();
});
