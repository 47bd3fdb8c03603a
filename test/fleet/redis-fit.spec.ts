import { afterEach, expect, it } from 'vitest';
import { activationWarnings } from '#queue/activation-warnings.js';
import { connectRedis, expectQueueRedis } from '#queue/redis-connection.js';
import { RedisServer } from './redis-server.js';

let server: RedisServer | undefined;
afterEach(() => server?.stop());

async function unfit(settings: Record<string, string>): Promise<unknown> {
  server = await RedisServer.start(settings);
  const redis = connectRedis({ url: server.url });
  try {
    return await expectQueueRedis(redis).catch((error: unknown) => error);
  } finally {
    redis.disconnect();
  }
}

it('takes a Redis that keeps what it is given', async () => {
  expect(await unfit({})).toBeUndefined();
  await server?.stop();
  expect(await unfit({ maxmemory: '100mb' })).toBeUndefined();
});

it.each(['allkeys-lru', 'volatile-ttl'])('refuses one that evicts by %s, and names it', async (policy) => {
  const error = await unfit({ 'maxmemory-policy': policy, maxmemory: '100mb' });
  expect(error).toMatchObject({
    name: 'RedisUnfitError',
    place: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  });
  expect(String(error)).toMatch(`maxmemory-policy is ${policy}`);
});

it.each([
  [{ maxmemory: '100mb' }, false, [/100 MiB of memory for blobs of up to 32 MiB/]],
  [{ maxmemory: '1gb' }, true, [/evicts nothing.*Set its maxmemory-policy to allkeys-lru/]],
  [{ maxmemory: '1gb' }, false, []],
  [{ maxmemory: '1gb', 'maxmemory-policy': 'allkeys-lru' }, true, []],
  [{}, true, []],
] as const)(
  'for activations, one with %j, alone %s, is warned of by %j',
  async (settings, isOwn, expected) => {
    server = await RedisServer.start(settings);
    const redis = connectRedis({ url: server.url });
    const warnings = await activationWarnings(redis, isOwn, 32 * 2 ** 20);
    redis.disconnect();
    expect(warnings).toEqual(expected.map((text): unknown => expect.stringMatching(text)));
  },
);
