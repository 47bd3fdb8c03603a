import type { RedisConnection } from './redis-connection.js';
import { memoryUse, serversOf, shownPlace } from './redis-connection.js';

const MEBIBYTE = 2 ** 20;
/** Of a server's memory, a blob that is larger is a crowd by itself. */
const LARGEST_SHARE = 0.1;

const mebibytes = (bytes: number): string => `${Math.round(bytes / MEBIBYTE)} MiB`;

/**
 * What is unwise about a Redis for activations, as sentences; none where it fits. Where it evicts, rows never wait.
 * @param queue that of the queue, which may be the same
 * @param blobBytes the most that are kept as one
 */
export async function activationWarnings(
  redis: RedisConnection,
  queue: RedisConnection,
  blobBytes: number,
): Promise<string[]> {
  // Of a cluster, the nodes are known only once it answers.
  await redis.ping();
  const isOwn = !(await areSame(redis, queue));
  const warnings: string[] = [];
  for (const { most, evicts } of await memoryUse(redis)) {
    if (most === 0 || evicts) continue;
    if (blobBytes > LARGEST_SHARE * most) {
      warnings.push(
        `Redis of the activations at ${shownPlace(redis)} has ${mebibytes(most)} of memory for blobs of up to ` +
          `${mebibytes(blobBytes)}: rows will wait for each other. Give it ten times as much as one, or lower worker.blobMemory.`,
      );
    }
    if (isOwn) {
      warnings.push(
        `Redis of the activations at ${shownPlace(redis)} evicts nothing: what cancelled runs leave there keeps rows of others ` +
          'out for up to an hour. Set its maxmemory-policy to allkeys-lru.',
      );
    }
  }
  return warnings;
}

/** Whether two connections, by whatever names, lead to a server in common. */
async function areSame(one: RedisConnection, other: RedisConnection): Promise<boolean> {
  const [ofOne, ofOther] = await Promise.all([runIds(one), runIds(other)]);
  return ofOne.some((id) => ofOther.includes(id));
}

function runIds(redis: RedisConnection): Promise<string[]> {
  return Promise.all(
    serversOf(redis).map(async (server) => /^run_id:(\w+)/m.exec(await server.info('server'))?.[1] ?? ''),
  );
}
