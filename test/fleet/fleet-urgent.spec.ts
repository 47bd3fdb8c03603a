/** Texts that somebody waits for never wait for those of runs. */
import { setMaxListeners } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BullmqTransport } from '#queue/bullmq-transport.js';
import { connectRedis } from '#queue/redis-connection.js';
import { ToyTokenizer, toyLabelsOf } from '../toy-ports.js';
import { RedisServer } from './redis-server.js';
import { toyChunk } from './toy-chunk.js';
import { openFleet, openToyWorker, toyBundle } from './toy-fleet.js';
import { toyLayout } from './toy-stages.js';

const CHUNK_ROWS = 20;
const never = new AbortController().signal;
setMaxListeners(0, never);
const stages = toyLayout.stages.map((_, stage) => stage);

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

it.each(stages)('not where rows of runs take up all of stage %i', async (held) => {
  let release!: () => void;
  const holds = new Promise<void>((resolve) => (release = resolve));
  const workers = stages.map((stage) =>
    openToyWorker(redis, { stages: [stage, stage], holds: stage === held ? holds : undefined }),
  );
  const run = openFleet(redis, `held-${held}`);
  const asked = openFleet(redis, `asked-${held}`, { urgent: true });
  const looking = connectRedis(redis);
  const transport = new BullmqTransport(looking, toyBundle);

  let ended = 0;
  const ofRun = Array.from({ length: 60 }, (_, chunk) =>
    run.labeller.label(toyChunk(chunk, CHUNK_ROWS), never).finally(() => (ended += 1)),
  );
  // All slots are taken, and more waits.
  await expect
    .poll(() => transport.queue(held).getPrioritizedCount(), { timeout: 10_000 })
    .toBeGreaterThan(0);
  for (const chunk of [toyChunk(100, CHUNK_ROWS), toyChunk(101, CHUNK_ROWS)]) {
    const { labels } = await asked.labeller.label(chunk, never);
    expect(labels).toEqual(toyLabelsOf(await new ToyTokenizer().tokenize(chunk.texts)));
  }
  expect(ended).toBe(0);
  release();
  await Promise.all(ofRun);

  await transport.close();
  looking.disconnect();
  for (const fleet of [run, asked]) await fleet.close();
  for (const worker of workers) await worker.close();
});
