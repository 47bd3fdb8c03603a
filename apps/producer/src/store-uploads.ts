import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '#run/usage-error.js';
import { ApiError } from './api-errors.js';

/** A file of a corpus that is being uploaded. */
export interface Upload {
  /** A form may leave it out. */
  readonly name: string | undefined;
  readonly stream: Readable;
  /** Whether it was cut off at the limit; known at its end. */
  readonly isCut: () => boolean;
}

/** What file systems take, less the endings that are put behind it. */
const MOST_NAME_BYTES = 200;
/** A name that a file of a corpus may keep. */
const SAFE_NAME = /^[\p{L}\p{N}_][\p{L}\p{N} ._-]{0,200}$/u;

/**
 * Keeps uploaded files under their names.
 * @param mostBytes that they may have together
 * @returns their paths @throws UsageError, ApiError
 */
export async function storeUploads(
  uploads: AsyncIterable<Upload>,
  folder: string,
  mostBytes: number,
): Promise<string[]> {
  const paths: string[] = [];
  let bytes = 0;
  for await (const { name, stream, isCut } of uploads) {
    const base = name?.split(/[/\\]/).at(-1) ?? '';
    if (!SAFE_NAME.test(base) || Buffer.byteLength(base) > MOST_NAME_BYTES) {
      throw new UsageError(
        `A file cannot be called ${JSON.stringify(base)}: use letters, digits, blank, . _ -`,
      );
    }
    const path = join(folder, base);
    await pipeline(stream, createWriteStream(path, { flags: 'wx', flush: true })).catch(
      (error: NodeJS.ErrnoException) => {
        throw error.code === 'EEXIST' ? new UsageError(`Two files are called ${base}.`) : error;
      },
    );
    bytes += (await stat(path)).size;
    if (isCut() || bytes > mostBytes) {
      throw new ApiError(
        413,
        'too-large',
        `${base} is longer than the ${mostBytes} bytes that may be uploaded, all files together.`,
      );
    }
    paths.push(path);
  }
  return paths;
}
