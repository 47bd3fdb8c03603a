/** What becomes of rows whose activations are lost, that kill workers, or that are worked on twice. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { toyCorpusText } from '../toy-ports.js';
import { FleetScene, twoSpans } from './fleet-scene.js';
import { KILLS, THROWS } from './toy-stages.js';

const corpus = toyCorpusText(195);
let scene: FleetScene;
beforeAll(async () => {
  scene = await FleetScene.open(corpus);
});
afterAll(() => scene.close());
beforeEach(() => scene.begin());
afterEach(() => scene.end());

/** Does something to the activations that there are, every few milliseconds. */
async function toActivations(
  isOver: () => boolean,
  change: (redis: Redis, key: string) => Promise<unknown>,
): Promise<number> {
  const redis = new Redis(scene.redis.url);
  let changed = 0;
  for (let time = 0; time < 40 && !isOver(); time += 1) {
    for (const key of await redis.keys('sluice:activations:*')) {
      await change(redis, key);
      changed += 1;
    }
    await sleep(5);
  }
  redis.disconnect();
  return changed;
}

it.each([
  { what: 'evicted', reason: 'activations-missing', change: (redis: Redis, key: string) => redis.del(key) },
  {
    what: 'damaged',
    reason: 'activations-damaged',
    change: (redis: Redis, key: string) => redis.setrange(key, 20, 'x'),
  },
])('are computed again where their activations are $what', async ({ change, reason }) => {
  const first = scene.work({ stages: [0, 1] });
  let late = first;
  let changed = 0;
  await scene.runToTheSame(await scene.corpusFolder(), async (isOver) => {
    changed = await toActivations(isOver, change);
    late = scene.work({ stages: [2, 2] });
  });
  expect(changed).toBeGreaterThan(0);
  expect([...late.recomputed.keys()]).toEqual([reason]);
});

it('end the run with a word on memory where activations are always lost', async () => {
  scene.work({ stages: [0, 1] });
  const late = scene.work({ stages: [2, 2], loses: Infinity });
  const run = scene.run(await scene.corpusFolder(), undefined, { attempts: 1 });
  await expect(run).rejects.toThrow(/came back without results/);
  expect(late.troubles.map(String)).toContainEqual(
    expect.stringContaining('Give the Redis of the activations more memory'),
  );
});

it.each([
  { what: 'kill the process', word: KILLS, reason: 'kills-worker' },
  { what: 'make the model throw', word: THROWS, reason: 'model-error' },
])('are rejected where they $what, and all others are labelled', async ({ word, reason }) => {
  const lines = corpus.split('\n');
  const bad = [42, 111];
  for (const row of bad) lines[row - 1] = `red\t${word}row ${row}`;
  const folder = await scene.corpusFolder(lines.join('\n'));
  const processes = twoSpans.map((each) => ({ each, alive: scene.workerProcess(each) }));
  await scene.run(folder, async (isOver) => {
    while (!isOver()) {
      for (const one of processes) {
        const { exitCode, signalCode } = await one.alive;
        // As whoever runs a fleet starts what has died.
        if (exitCode !== null || signalCode !== null) one.alive = scene.workerProcess(one.each);
      }
      await sleep(50);
    }
  });
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  const rejects = (await read('out.txt.run/rejects.jsonl'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rejects.filter((reject) => reject.reason === reason).map(({ row }) => row)).toEqual(bad);
  const expected = scene.undisturbed.output
    .split('\n')
    .filter((line) => !bad.some((row) => line.startsWith(`row ${row - 1} `)));
  expect((await read('out.txt')).split('\n')).toEqual(expected);
});

it('count once in the report where all are tried alone, after some were stored', async () => {
  // Each job has stored parts of its rows when its worker dies, so that parts overlap.
  const dying = await Promise.all(
    [1, 2, 3].map((nth) => scene.workerProcess({ stages: [0, 1] }, 'next-added', 2 * nth)),
  );
  scene.work({ stages: [2, 2] });
  await scene.runToTheSame(await scene.corpusFolder(), async () => {
    for (const victim of dying) if (victim.signalCode === null) await once(victim, 'exit');
    scene.work({ stages: [0, 1], suspectsAll: true });
  });
});

it('are labelled once although every job is worked on twice', async () => {
  for (const each of [...twoSpans, ...twoSpans]) scene.work({ ...each, isTwice: true });
  await scene.runToTheSame(await scene.corpusFolder());
});
