/** A run of the fleet comes to the same bytes, whatever dies: real worker processes, a real Redis, SIGKILL. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { toyCorpusText } from '../toy-ports.js';
import { FleetScene, twoSpans } from './fleet-scene.js';
import { LOCK_MS } from './toy-fleet.js';

let scene: FleetScene;
beforeAll(async () => {
  // 60 chunks of 10 rows.
  scene = await FleetScene.open(toyCorpusText(595));
});
afterAll(() => scene.close());
beforeEach(() => scene.begin());
afterEach(() => scene.end());

it.each([
  { spans: 'one worker', options: [{}] },
  { spans: 'stages on different workers', options: twoSpans },
])('undisturbed, on $spans', async ({ options }) => {
  const workers = options.map((each) => scene.work(each));
  await scene.runToTheSame(await scene.corpusFolder());
  expect(scene.fleet.retried).toEqual([]);
  const begun = workers.flatMap((worker) => worker.begun.map((jobs, stage) => (jobs > 0 ? [stage] : [])));
  expect(begun.flat()).toEqual(options.length === 1 ? [0] : [0, 2]);
  expect(workers.flatMap((worker) => [...worker.recomputed])).toEqual([]);
});

it('worker processes killed again and again', async () => {
  let kills = 0;
  const options = twoSpans.map((each) => ({ ...each, pauseMs: 30 }));
  for (const each of options) await scene.workerProcess(each);
  const victims = await Promise.all(options.map((each) => scene.workerProcess(each)));
  await scene.runToTheSame(await scene.corpusFolder(), async (isOver) => {
    while (!isOver()) {
      await sleep(400);
      if (isOver()) break;
      const which = kills % victims.length;
      victims[which]!.kill('SIGKILL');
      await once(victims[which]!, 'close');
      kills += 1;
      victims[which] = await scene.workerProcess(options[which]!);
    }
  });
  expect(kills).toBeGreaterThan(0);
});

it('a worker that is told to stop finishes what it has', async () => {
  const first = await scene.workerProcess({ pauseMs: 50 });
  await scene.runToTheSame(await scene.corpusFolder(), async () => {
    await scene.workerProcess({ pauseMs: 50 });
    first.kill('SIGTERM');
    expect(await once(first, 'close')).toEqual([0, null]);
  });
  expect(scene.fleet.retried).toEqual([]);
});

it('a worker that is told to stop, and does not come to an end, gives back what it has', async () => {
  const slow = scene.work({ pauseMs: 60_000 });
  await scene.runToTheSame(await scene.corpusFolder(), async () => {
    while (slow.begun[0]! < 4) await sleep(10);
    await scene.stopWork(slow, 100);
    scene.work();
  });
  // The same jobs, not further ones.
  expect(scene.fleet.retried).toEqual([]);
});

it('a Redis that does what it is told and then answers with an error, now and then', async () => {
  for (const each of twoSpans) scene.work({ ...each, flaky: 0.01 });
  await scene.runToTheSame(await scene.corpusFolder(), undefined, { flaky: 0.01 });
});

it('a worker that stands still for twice the time of its locks, and goes on', async () => {
  const sleeper = await scene.workerProcess({ pauseMs: 30 });
  await scene.runToTheSame(await scene.corpusFolder(), async () => {
    await sleep(300);
    sleeper.kill('SIGSTOP');
    await scene.workerProcess({ pauseMs: 30 });
    await sleep(2 * LOCK_MS);
    sleeper.kill('SIGCONT');
  });
});

it('everything in Redis lost', async () => {
  for (const each of twoSpans) scene.work({ ...each, pauseMs: 40 });
  await scene.runToTheSame(await scene.corpusFolder(), async (isOver) => {
    const admin = new Redis(scene.redis.url);
    for (let time = 0; time < 3 && !isOver(); time += 1) {
      await sleep(150);
      await admin.flushall();
    }
    admin.disconnect();
  });
  expect(scene.fleet.retried.length).toBeGreaterThan(0);
});

it('Redis killed and back', async () => {
  for (const each of twoSpans) scene.work({ ...each, pauseMs: 40 });
  await scene.runToTheSame(await scene.corpusFolder(), async () => {
    await sleep(200);
    await scene.redis.kill();
    await sleep(1500);
    await scene.redis.restart();
  });
});

it('results that are collected ten times as slowly as they come, while Redis holds no more than is in flight', async () => {
  for (const each of twoSpans) scene.work(each);
  const redis = new Redis(scene.redis.url);
  const held: number[] = [];
  await scene.runToTheSame(
    await scene.corpusFolder(),
    async (isOver) => {
      while (!isOver()) {
        held.push((await redis.keys('{sluice}:run:*:parts:*')).length);
        await sleep(20);
      }
    },
    { writeMs: 40 },
  );
  redis.disconnect();
  expect(held.length).toBeGreaterThan(20);
  expect(Math.max(...held)).toBeLessThanOrEqual(8);
});

it('workers of another runtime and of another bundle, whose labels are not taken', async () => {
  const foreign = [scene.work({ fingerprint: 'another' }), scene.work({ bundle: 'c'.repeat(64) })];
  const own = scene.work({ pauseMs: 5 });
  await scene.runToTheSame(await scene.corpusFolder());
  expect(foreign.flatMap(({ begun }) => begun)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(own.begun[0]).toBeGreaterThanOrEqual(60);
});

it('a chunk that no worker can label ends the run with its number, and the run can be resumed', async () => {
  const folder = await scene.corpusFolder();
  const broken = scene.work({ isBroken: true });
  await expect(scene.run(folder, undefined, { attempts: 2 })).rejects.toThrow(
    /Chunk \d+ of run \S+ was given to the workers 2 times/,
  );
  await scene.stopWork(broken);
  await scene.fleet.close();
  scene.work();
  await scene.runToTheSame(folder);
});
