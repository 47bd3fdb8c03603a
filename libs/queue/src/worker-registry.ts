import type { RedisConnection } from './redis-connection.js';
import { KEY_PREFIX } from './queue-keys.js';

/** What a worker tells of itself every few seconds. */
export interface WorkerCard {
  readonly id: string;
  readonly host: string;
  /** Hash of its bundle. */
  readonly bundle: string;
  readonly fingerprint: string;
  /** Of each stage that it serves, 0-based; counts since it began. */
  readonly stages: readonly StageCard[];
}

export interface StageCard {
  readonly stage: number;
  /** Jobs that it took, and their rows. */
  readonly jobs: number;
  readonly rows: number;
  /** Rows that ran through the stage, and the time of the model for them, sum over its threads. */
  readonly rowsRun: number;
  readonly seconds: number;
  /** That run batches side by side; a worker of an earlier version does not tell. */
  readonly threads?: number | undefined;
  /** Batches that ran, their tokens, and the most tokens that one may have; a worker of an earlier version does not tell. */
  readonly batches?: number | undefined;
  readonly tokens?: number | undefined;
  readonly batchTokens?: number | undefined;
}

/** A worker that was not heard of for so long is gone, seconds. */
export const GONE_AFTER = 30;
const FORGOTTEN_AFTER = 3600;

const TIMES = `${KEY_PREFIX}:workers:seen`;
const CARDS = `${KEY_PREFIX}:workers`;

/** By the clock of Redis, since those of the workers may differ. KEYS: times, cards. ARGV: id, card, seconds. */
const TELL = `
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[3]))
for _, id in ipairs(old) do
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id)
end
return 1
`;

/** KEYS: times, cards. ARGV: seconds. */
const LIST = `
local now = tonumber(redis.call('TIME')[1])
local cards = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now - tonumber(ARGV[1]), '+inf')) do
  table.insert(cards, redis.call('HGET', KEYS[2], id))
end
return cards
`;

export async function tellOfWorker(redis: RedisConnection, card: WorkerCard): Promise<void> {
  await redis.eval(TELL, 2, TIMES, CARDS, card.id, JSON.stringify(card), FORGOTTEN_AFTER);
}

export async function forgetWorker(redis: RedisConnection, id: string): Promise<void> {
  await redis.multi().zrem(TIMES, id).hdel(CARDS, id).exec();
}

/** The workers that were heard of lately. */
export async function listWorkers(redis: RedisConnection): Promise<WorkerCard[]> {
  const cards = await redis.eval(LIST, 2, TIMES, CARDS, GONE_AFTER);
  if (!Array.isArray(cards)) throw new TypeError('Redis answered no list to the script that lists workers.');
  return cards.map((card): WorkerCard => JSON.parse(String(card)));
}
