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
  [{ maxmemory: '100mb' }, 'the same', [/100 MiB of memory for blobs of up to 32 MiB/]],
  [{ maxmemory: '1gb' }, 'another', [/evicts nothing.*Set its maxmemory-policy to allkeys-lru/]],
  [{ maxmemory: '1gb' }, 'the same', []],
  [{ maxmemory: '1gb' }, 'the same by another name', []],
  [{ maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' }, 'another', []],
  [{}, 'another', []],
] as const)(
  'for activations, one with %j, the queue in %s, is warned of by %j',
  async (settings, queue, expected) => {
    server = await RedisServer.start(settings);
    const other = queue === 'another' ? await RedisServer.start() : undefined;
    const url =
      queue === 'the same by another name' ? `${server.url.replace('127.0.0.1', 'localhost')}/1` : server.url;
    const connections = [
      connectRedis({ url: server.url }),
      connectRedis({ url: other?.url ?? url }),
    ] as const;
    const warnings = await activationWarnings(...connections, 32 * 2 ** 20);
    for (const connection of connections) connection.disconnect();
    await other?.stop();
    expect(warnings).toEqual(expected.map((text): unknown => expect.stringMatching(text)));
  },
);
