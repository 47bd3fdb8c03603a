import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

import { GzipDataError, GzipLimitError } from './corpus-errors.js';

/** How the limit on decompressed bytes is set. */
export interface GunzipLimits {
  /** Bytes that may come out. Unless it is given, the ratio is limited: see `EXPANSION`. */
  readonly maxDecompressedBytes?: number | undefined;
}

/**
 * More than so many bytes out of each byte are refused, once so many have come out. Text is compressed 3 to 30 times,
 * tables of zeros and rows that repeat up to about 100 times; a bomb 1,000 times, the most that deflate can.
 */
const EXPANSION = { most: 200, freeBytes: 64 << 20 };
const OUT_BYTES = 1 << 16;

/** Decompresses gzip members that stand back to back, off the calling thread, block by block. */
export class GunzipReader {
  readonly #path: string;
  readonly #limits: GunzipLimits;
  readonly #gunzip = createGunzip({ chunkSize: OUT_BYTES });
  readonly #blocks: AsyncIterator<Buffer>;
  #fed = 0;
  #produced = 0;

  /** @param path of the errors */
  constructor(path: string, compressed: AsyncIterable<Buffer>, limits: GunzipLimits) {
    this.#path = path;
    this.#limits = limits;
    this.#blocks = this.#gunzip[Symbol.asyncIterator]();
    // Its errors arrive through the blocks as well.
    pipeline(this.#counted(compressed), this.#gunzip).catch(() => undefined);
  }

  /** Compressed bytes that were read. */
  get consumed(): number {
    return this.#gunzip.bytesWritten;
  }

  /** Bytes that came out of them, those included that wait to be given out. */
  get produced(): number {
    return this.#produced + this.#gunzip.readableLength;
  }

  /**
   * @returns undefined at the end
   * @throws GzipDataError, GzipLimitError
   * @throws the error of the compressed bytes
   */
  async next(): Promise<Buffer | undefined> {
    const next = await this.#blocks.next().catch((error: unknown) => {
      throw isZlibError(error) ? this.#broken(problemOf(error), error) : error;
    });
    if (next.done === true) {
      // Zeros behind a member end the stream of Node without an error, whatever follows them.
      if (this.#fed > this.consumed)
        throw this.#broken('something else than gzip data follows its last member');
      return undefined;
    }
    this.#produced += next.value.length;
    this.#expectWithin();
    return next.value;
  }

  close(): void {
    this.#gunzip.destroy();
  }

  async *#counted(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const block of compressed) {
      this.#fed += block.length;
      yield block;
    }
  }

  #expectWithin(): void {
    const { maxDecompressedBytes } = this.#limits;
    const { most, freeBytes } = EXPANSION;
    const within =
      maxDecompressedBytes === undefined
        ? this.#produced <= freeBytes || this.#produced <= most * this.consumed
        : this.#produced <= maxDecompressedBytes;
    if (!within) throw new GzipLimitError(this.#path, this.#produced, this.consumed, maxDecompressedBytes);
  }

  #broken(problem: string, cause?: unknown): GzipDataError {
    return new GzipDataError(this.#path, problem, this.#produced, this.consumed, { cause });
  }
}

function isZlibError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

function problemOf({ message }: Error): string {
  switch (message) {
    case 'unexpected end of file':
      return 'it ends in the middle of a gzip member';
    case 'incorrect header check':
      return 'something else than gzip data follows its last member';
    case 'incorrect data check':
    case 'incorrect length check':
      return 'a checksum does not fit, so bytes before it have changed';
    default:
      return `its gzip data is damaged (${message})`;
  }
}
