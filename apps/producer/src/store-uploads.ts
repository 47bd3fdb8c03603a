import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '#run/usage-error.js';
import { ApiError } from './api-errors.js';
import { storedName } from './stored-name.js';

/** A file of a corpus that is being uploaded. */
export interface Upload {
  /** A form may leave it out. */
  readonly name: string | undefined;
  readonly stream: Readable;
}

/** A file of a corpus that was uploaded. */
export interface StoredUpload {
  /** As who sent it calls it, without folders. */
  readonly name: string;
  readonly path: string;
}

/**
 * Keeps uploaded files under names like theirs.
 * @param mostBytes that they may have together
 * @throws UsageError, ApiError
 */
export async function storeUploads(
  uploads: AsyncIterable<Upload>,
  folder: string,
  mostBytes: number,
): Promise<StoredUpload[]> {
  const kept: StoredUpload[] = [];
  const taken = new Map<string, number>();
  let bytes = 0;
  for await (const { name: given, stream } of uploads) {
    const name = given?.split(/[/\\]/).at(-1) ?? '';
    const stored = storedName(name, taken);
    if (stored === undefined) {
      throw new UsageError(`A file cannot be called ${JSON.stringify(name)}: it needs a letter or a digit.`);
    }
    const path = join(folder, stored);
    const counted = async function* (): AsyncGenerator<Buffer> {
      for await (const block of readable(name, stream)) {
        bytes += block.length;
        if (bytes > mostBytes) throw tooLong(name, mostBytes);
        yield block;
      }
    };
    await pipeline(counted, createWriteStream(path, { flags: 'wx', flush: true }));
    kept.push({ name, path });
  }
  return kept;
}

/** @throws ApiError where the form ends before the file does */
async function* readable(name: string, stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch (error) {
    throw new ApiError(400, 'bad-request', `The form ends within ${name}: ${String(error)}`);
  }
}

function tooLong(name: string, mostBytes: number): ApiError {
  return new ApiError(
    413,
    'too-large',
    `${name} is longer than the ${mostBytes} bytes that may be uploaded, all files together.`,
  );
}
