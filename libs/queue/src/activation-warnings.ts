import type { RedisConnection } from './redis-connection.js';
import { memoryUse, shownPlace } from './redis-connection.js';

const MEBIBYTE = 2 ** 20;
/** Of a server's memory, a blob that is larger is a crowd by itself. */
const LARGEST_SHARE = 0.1;

const mebibytes = (bytes: number): string => `${Math.round(bytes / MEBIBYTE)} MiB`;

/**
 * What is unwise about a Redis for activations, as sentences; none where it fits.
 * @param isOwn whether the queue has another
 * @param blobBytes the most that are kept as one
 */
export async function activationWarnings(
  redis: RedisConnection,
  isOwn: boolean,
  blobBytes: number,
): Promise<string[]> {
  const warnings: string[] = [];
  for (const { most, evicts } of await memoryUse(redis)) {
    if (most > 0 && blobBytes > LARGEST_SHARE * most) {
      warnings.push(
        `Redis of the activations at ${shownPlace(redis)} has ${mebibytes(most)} of memory for blobs of up to ` +
          `${mebibytes(blobBytes)}: rows will wait for each other. Give it ten times as much as one, or lower worker.blobMemory.`,
      );
    }
    if (most > 0 && isOwn && !evicts) {
      warnings.push(
        `Redis of the activations at ${shownPlace(redis)} evicts nothing: what cancelled runs leave there keeps rows of others ` +
          'out for up to an hour. Set its maxmemory-policy to allkeys-lru.',
      );
    }
  }
  return warnings;
}
