import type { RedisConnection } from './redis-connection.js';
import type { ChunkAttempt, ChunkOfRun, ResultStore, Stored } from '#pipeline/fleet/fleet-ports.js';
import type { ResultPart } from '#pipeline/fleet/result-part.js';
import { decodePart, encodePart } from '#pipeline/fleet/result-part.js';
import { epochsKey, jobsKey, partsKey, readyKey } from './queue-keys.js';

/** How long results wait for who feeds the run, ms. A run that goes on later computes them again. */
export const KEPT_MS = 24 * 60 * 60 * 1000;
/** How long one wait for a ready chunk lasts, seconds. */
const WAIT_SECONDS = 1;
/** Field of a chunk's hash that is no part. */
const ROWS = 'rows';

/**
 * Stores a part where the chunk waits for its epoch and has none of the same rows, counts its rows, and says when all are there.
 * In one step, because a late worker would bring back what was dropped between two.
 *
 * KEYS: epochs, parts, ready. ARGV: chunk, epoch, field, part, its rows, the chunk's rows, ms that it is kept.
 */
const PUT = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 'refused' end
if redis.call('HSETNX', KEYS[2], ARGV[3], ARGV[4]) == 0 then return 'stored-before' end
local rows = redis.call('HINCRBY', KEYS[2], '${ROWS}', ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
if rows >= tonumber(ARGV[6]) then
  redis.call('RPUSH', KEYS[3], ARGV[1])
  redis.call('PEXPIRE', KEYS[3], ARGV[7])
end
return 'stored'
`;

/** Results in Redis. */
export class RedisResultStore implements ResultStore {
  readonly #redis: RedisConnection;
  readonly #openMs: number;
  /** For waiting, which keeps a connection busy; made when it is needed. */
  #waiting: RedisConnection | undefined;

  /**
   * @param redis is not closed by the store
   * @param openMs after which nobody waits any more for the attempts of a run of which none was opened since, ms
   */
  constructor(redis: RedisConnection, openMs = KEPT_MS) {
    this.#redis = redis;
    this.#openMs = openMs;
  }

  async open(attempt: ChunkAttempt): Promise<void> {
    const key = epochsKey(attempt.run);
    // Jobs of an earlier attempt are refused from here on, so nobody need ask for them.
    await this.#redis
      .multi()
      .hset(key, attempt.chunk, attempt.epoch)
      .pexpire(key, this.#openMs)
      .del(jobsKey(attempt))
      .exec();
  }

  async isOpen({ run, chunk, epoch }: ChunkAttempt): Promise<boolean> {
    return (await this.#redis.hget(epochsKey(run), String(chunk))) === String(epoch);
  }

  async put(attempt: ChunkAttempt, part: ResultPart, rows: number): Promise<Stored> {
    const { run, chunk, epoch } = attempt;
    const [first, last] = [part.rows.at(0) ?? 'none', part.rows.at(-1) ?? 'none'];
    const field = `${first}-${last}-${part.rows.length}-${part.rejected.map(({ index }) => index).join('+')}`;
    const keys = [epochsKey(run), partsKey(attempt), readyKey(run)];
    const count = part.rows.length + part.rejected.length;
    const values = [chunk, epoch, field, encodePart(part), count, rows, KEPT_MS];
    const stored = await this.#redis.eval(PUT, keys.length, ...keys, ...values);
    if (stored === 'stored' || stored === 'stored-before' || stored === 'refused') return stored;
    throw new TypeError(`Redis answered ${JSON.stringify(stored)} to the script that stores a part.`);
  }

  async parts(chunk: ChunkOfRun): Promise<ResultPart[]> {
    const fields = await this.#redis.hgetallBuffer(partsKey(chunk));
    return Object.entries(fields).flatMap(([field, bytes]) => (field === ROWS ? [] : [decodePart(bytes)]));
  }

  async drop(chunk: ChunkOfRun): Promise<void> {
    // First the epoch: what comes between is refused.
    await this.#redis.hdel(epochsKey(chunk.run), String(chunk.chunk));
    await this.#redis.unlink(partsKey(chunk), jobsKey(chunk));
  }

  async nextReady(run: string): Promise<number | undefined> {
    const found = await this.#waitingConnection().blpop(readyKey(run), WAIT_SECONDS);
    return found === null ? undefined : Number(found[1]);
  }

  close(): void {
    this.#waiting?.disconnect();
  }

  #waitingConnection(): RedisConnection {
    if (this.#waiting === undefined) {
      this.#waiting = this.#redis.duplicate();
      // Who listens to the one connection hears of both.
      this.#waiting.on('error', (error) => this.#redis.emit('error', error));
    }
    return this.#waiting;
  }
}
