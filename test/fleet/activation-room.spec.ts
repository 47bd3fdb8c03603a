/** Activations in a Redis that has no room for them, and evicts nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RedisActivationStore } from '#queue/redis-activation-store.js';
import type { RedisConnection } from '#queue/redis-connection.js';
import { connectRedis } from '#queue/redis-connection.js';
import { RedisServer } from './redis-server.js';

const MiB = 2 ** 20;

let server: RedisServer;
let redis: RedisConnection;
let store: RedisActivationStore;
beforeEach(async () => {
  server = await RedisServer.start({ maxmemory: '64mb', appendonly: 'no' });
  redis = connectRedis({ url: server.url });
  store = new RedisActivationStore(redis);
});
afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

/** Small ones: Redis counts what it is being sent as well. */
async function putBlobs(count: number): Promise<void> {
  for (let blob = 0; blob < count; blob += 1) await store.put(`blob-${blob}`, new Uint8Array(2 * MiB));
}

async function dropBlobs(count: number): Promise<void> {
  for (let blob = 0; blob < count; blob += 1) await store.drop(`blob-${blob}`);
}

/** Whether it ends before long. */
async function isDone(work: Promise<unknown>): Promise<boolean> {
  return await Promise.race([work.then(() => true), sleep(1500, false)]);
}

it('rows do not enter while much of it is in use, and do when it is not any more', async () => {
  await store.room();
  await putBlobs(18);
  const room = store.room();
  expect(await isDone(room)).toBe(false);
  await dropBlobs(18);
  await room;
});

it('rows enter where others would be evicted', async () => {
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await putBlobs(18);
  expect(await isDone(store.room())).toBe(true);
});

it('what a row leaves is put there as soon as there is room', async () => {
  await putBlobs(18);
  await redis.config('SET', 'maxmemory', String(20 * MiB));
  const put = store.put('other', new Uint8Array(MiB));
  expect(await isDone(put)).toBe(false);
  await dropBlobs(18);
  await put;
  expect((await store.get('other'))?.length).toBe(MiB);
});
