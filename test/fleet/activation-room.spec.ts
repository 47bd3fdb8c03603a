/** Activations in a Redis that has no room for them, and evicts nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RedisActivationStore } from '#queue/redis-activation-store.js';
import type { RedisConnection } from '#queue/redis-connection.js';
import { connectRedis } from '#queue/redis-connection.js';
import { ToyTokenizer, toyLabelsOf } from '../toy-ports.js';
import { RedisServer } from './redis-server.js';
import { toyChunk } from './toy-chunk.js';
import { openFleet, openToyWorker } from './toy-fleet.js';

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

it('jobs that wait for a runtime that is gone make no room, and so keep no rows out', async () => {
  await putBlobs(18);
  const gone = openToyWorker(server, { stages: [0, 0], fingerprint: 'gone' });
  const ofGone = openFleet(server, 'gone', { fingerprints: ['gone'] });
  const stop = new AbortController();
  const never = ofGone.labeller.label(toyChunk(0, 40), stop.signal).catch(() => undefined);
  await expect.poll(left).toBe(1);
  await gone.close(0);
  const deep = openToyWorker(server, { stages: [1, 2] });
  const first = openToyWorker(server, { stages: [0, 0] });
  const fleet = openFleet(server, 'there');
  const chunk = toyChunk(0, 40);
  const { labels } = await fleet.labeller.label(chunk, stop.signal);
  expect(labels).toEqual(toyLabelsOf(await new ToyTokenizer().tokenize(chunk.texts)));
  stop.abort();
  await never;
  for (const each of [fleet, ofGone, first, deep]) await each.close();
});

const left = (): Promise<number> => redis.keys('sluice:activations:*').then(({ length }) => length);

it('has room while little of it is in use', async () => {
  expect(await store.hasRoom(MiB)).toBe(true);
  await putBlobs(18);
  expect(await store.hasRoom(MiB)).toBe(false);
  await dropBlobs(18);
  expect(await store.hasRoom(MiB)).toBe(true);
});

it('texts up to where a producer fills it leave room for some, but not for many', async () => {
  await putBlobs(13);
  expect([await store.hasRoom(MiB), await store.hasRoom(12 * MiB)]).toEqual([true, false]);
});

it('has room where others would be evicted', async () => {
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await putBlobs(18);
  expect(await store.hasRoom(MiB)).toBe(true);
});

it('rows enter a full one only while no job behind them would make room', async () => {
  // Of others, who will never make room.
  await putBlobs(18);
  const first = openToyWorker(server, { stages: [0, 0] });
  const fleet = openFleet(server, 'room');
  const chunk = toyChunk(0, 40);
  const found = fleet.labeller.label(chunk, new AbortController().signal);
  await expect.poll(left).toBe(1);
  expect(await isDone(found)).toBe(false);
  expect(await left()).toBe(1);
  const deep = openToyWorker(server, { stages: [1, 2] });
  const { labels } = await found;
  expect(labels).toEqual(toyLabelsOf(await new ToyTokenizer().tokenize(chunk.texts)));
  expect(deep.begun[1]).toBeGreaterThan(1);
  await fleet.close();
  for (const worker of [first, deep]) await worker.close();
});

it('what a row leaves takes the room of what it came with', async () => {
  await putBlobs(18);
  await redis.config('SET', 'maxmemory', String(20 * MiB));
  await store.put('other', new Uint8Array(MiB), {
    signal: new AbortController().signal,
    makeRoom: () => dropBlobs(18),
  });
  expect(await redis.keys('*')).toEqual(['other']);
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
