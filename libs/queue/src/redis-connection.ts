import type { RedisOptions } from 'ioredis';
import { Cluster, Redis } from 'ioredis';

/** BullMQ's commands, and those of the stores, are there from this version on. */
const OLDEST = [6, 2] as const;

/** One server, or a cluster of them. */
export type RedisConnection = Redis | Cluster;

export interface RedisPlace {
  /** `redis://host:port`, or `rediss://` for TLS; of a cluster, any of its nodes. */
  readonly url: string;
  readonly cluster?: boolean | undefined;
  /** ACL user, where the URL names none. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** For `rediss://`: PEM texts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
}

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
export function connectRedis(place: RedisPlace, others: RedisOptions = {}): RedisConnection {
  const { hostname, port, username, password, protocol, pathname } = new URL(place.url);
  const options: RedisOptions = {
    host: hostname.replaceAll(/[[\]]/g, ''),
    port: Number(port || 6379),
    maxRetriesPerRequest: null,
    ...optional('username', decodeURIComponent(username) || place.username),
    ...optional('password', decodeURIComponent(password) || place.password),
    ...optional('tls', protocol === 'rediss:' ? { ...place.tls } : undefined),
    ...others,
  };
  if (place.cluster !== true)
    return new Redis({ ...options, db: Number(pathname.slice(1) || 0), lazyConnect: true });
  const { host, port: nodePort, ...redisOptions } = options;
  return new Cluster([{ host: host ?? 'localhost', port: nodePort ?? 6379 }], {
    redisOptions,
    lazyConnect: options.lazyConnect === true,
    enableOfflineQueue: others.enableOfflineQueue ?? true,
  });
}

/** How long an answer is waited for where somebody waits for it, ms. */
const ANSWERS_WITHIN_MS = 3000;

/** A connection that fails soon while Redis is away, for who asks on somebody's behalf. */
export function connectRedisToAsk(place: RedisPlace): RedisConnection {
  return connectRedis(place, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: ANSWERS_WITHIN_MS,
    lazyConnect: false,
  });
}

/** Tells of an outage once, not at every attempt to end it. */
export function tellOutages(redis: RedisConnection, tell: (message: string) => void): void {
  let told = '';
  redis.on('error', ({ message }: Error) => {
    if (message !== told) tell(message);
    told = message;
  });
  redis.on('ready', () => (told = ''));
}

function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): Partial<Record<Key, Value>> | Record<Key, Value> {
  const none: Partial<Record<Key, Value>> = {};
  return value === undefined ? none : { ...none, [key]: value };
}

/** `host:port`, or the path of a socket: what may be shown of a URL. */
export function shownPlace(redis: RedisConnection): string {
  if (redis instanceof Cluster) return redis.nodes().map(shownPlace).join(', ') || 'a cluster';
  const { path, host, port } = redis.options;
  return path ?? `${host ?? 'localhost'}:${port ?? 6379}`;
}

/** Every server that holds keys. */
export function serversOf(redis: RedisConnection): readonly Redis[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis];
}

/**
 * A queue loses jobs where Redis evicts keys, and jobs do not work in old versions.
 * @throws RedisUnfitError
 */
export async function expectQueueRedis(redis: RedisConnection): Promise<void> {
  // Of a cluster, the nodes are known only once it answers.
  await redis.ping();
  for (const server of serversOf(redis)) await expectQueueServer(server);
}

async function expectQueueServer(redis: Redis): Promise<void> {
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

/** What the keys of a server, and all else that it holds, take. */
export interface MemoryUse {
  /** Bytes. */
  readonly used: number;
  /** `maxmemory`, bytes; 0 where there is no such bound. */
  readonly most: number;
  /** Whether it makes room by itself when it is full. */
  readonly evicts: boolean;
}

/** Of every server that holds keys. @throws RedisUnfitError where there is none */
export async function memoryUse(redis: RedisConnection): Promise<MemoryUse[]> {
  const servers = serversOf(redis);
  if (servers.length === 0) throw new RedisUnfitError(shownPlace(redis), 'has no node that answers.');
  return Promise.all(
    servers.map(async (server) => {
      const info = await server.info('memory');
      const valueOf = (name: string): number =>
        Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
      const evicts = !info.includes('maxmemory_policy:noeviction');
      return { used: valueOf('used_memory'), most: valueOf('maxmemory'), evicts };
    }),
  );
}

/** Memory in use as a share of `maxmemory`, of the fullest server; 0 where there is no such bound. */
export async function usedRatio(redis: RedisConnection): Promise<number> {
  const servers = await memoryUse(redis);
  return Math.max(0, ...servers.map(({ used, most }) => (most === 0 ? 0 : used / most)));
}
