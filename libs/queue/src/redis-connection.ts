import type { RedisOptions } from 'ioredis';
import { Redis } from 'ioredis';

/** BullMQ's commands, and those of the stores, are there from this version on. */
const OLDEST = [6, 2] as const;

/** A Redis that a queue cannot live in. */
export class RedisUnfitError extends Error {
  override readonly name = 'RedisUnfitError';

  constructor(
    /** Without user and password. */
    readonly place: string,
    problem: string,
  ) {
    super(`Redis at ${place} ${problem}`);
  }
}

/**
 * A connection that waits for as long as Redis is away, as workers and feeders do, and says nothing by itself: errors are
 * events of the connection.
 */
export function connectRedis(url: string, options: RedisOptions = {}): Redis {
  return new Redis(url, { maxRetriesPerRequest: null, lazyConnect: true, ...options });
}

/** `host:port`, or the path of a socket: what may be shown of a URL. */
export function shownPlace({ options }: Pick<Redis, 'options'>): string {
  return options.path ?? `${options.host ?? 'localhost'}:${options.port ?? 6379}`;
}

/**
 * A queue loses jobs where Redis evicts keys, and jobs do not work in old versions.
 * @throws RedisUnfitError
 */
export async function expectQueueRedis(redis: Redis): Promise<void> {
  const place = shownPlace(redis);
  const info = await redis.info();
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new RedisUnfitError(place, `is version ${version}; ${OLDEST.join('.')} or later is needed.`);
  }
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'unknown';
  if (policy !== 'noeviction') {
    throw new RedisUnfitError(
      place,
      `evicts keys when its memory is full (maxmemory-policy is ${policy}), and a queue would lose jobs: ` +
        'set it to noeviction, or give the queue a Redis of its own.',
    );
  }
}
