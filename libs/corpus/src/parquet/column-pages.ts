import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import type { ByteSource } from '../byte-source.js';
import type { PageHeader } from './page-header.js';
import { readPageHeader } from './page-header.js';
import { ParquetFormatError } from './parquet-errors.js';
import { readBytes } from './parquet-footer.js';
import type { ColumnChunk } from './row-group.js';
import { UnexpectedEndError } from './thrift-reader.js';

/** A header is looked for in so many bytes, then in twice as many, and so on. */
const HEADER_BYTES = 1 << 12;
const MOST_HEADER_BYTES = 1 << 22;

/** The pages of a column chunk as they stand in the file, one after another. */
export class ColumnPages {
  readonly #source: ByteSource;
  readonly #end: number;
  #position: number;
  /** Bytes from the position on that were read already. */
  #ahead: Buffer = Buffer.alloc(0);
  /** Of all bytes; undefined once some were not read. */
  #hash: Hash | undefined = createHash('sha256');

  constructor(source: ByteSource, chunk: ColumnChunk) {
    this.#source = source;
    this.#position = chunk.start;
    this.#end = chunk.end;
  }

  /** The next header, undefined behind the last page. `body` or `pass` must follow. */
  async header(): Promise<PageHeader | undefined> {
    const left = this.#end - this.#position;
    if (left === 0) return undefined;
    for (let length = HEADER_BYTES; ; length *= 2) {
      this.#ahead = await this.#read(Math.min(length, left));
      const header = this.#parse(length < left && length < MOST_HEADER_BYTES);
      if (header === undefined) continue;
      if (header.headerBytes + header.storedBytes > left) {
        throw new ParquetFormatError(
          `a page of ${header.storedBytes} bytes does not fit in the ${left} that are left`,
        );
      }
      return header;
    }
  }

  async body(header: PageHeader): Promise<Buffer> {
    const bytes = await this.#read(header.headerBytes + header.storedBytes);
    this.#hash?.update(bytes);
    this.#advance(bytes.length);
    return bytes.subarray(header.headerBytes);
  }

  pass(header: PageHeader): void {
    this.#hash = undefined;
    this.#advance(header.headerBytes + header.storedBytes);
  }

  /** The hash of the whole column chunk, unless pages were passed. Reads to its end. */
  async digest(): Promise<string | undefined> {
    if (this.#hash === undefined) return undefined;
    for (;;) {
      const bytes = await this.#read(Math.min(MOST_HEADER_BYTES, this.#end - this.#position));
      if (bytes.length === 0) return this.#hash.copy().digest('hex');
      this.#hash.update(bytes);
      this.#advance(bytes.length);
    }
  }

  /** @param more whether more bytes could be looked at */
  #parse(more: boolean): PageHeader | undefined {
    try {
      return readPageHeader(this.#ahead);
    } catch (error) {
      if (more && error instanceof UnexpectedEndError) return undefined;
      throw error;
    }
  }

  async #read(length: number): Promise<Buffer> {
    if (length <= this.#ahead.length) return this.#ahead.subarray(0, length);
    const known = this.#ahead.length;
    const more = await readBytes(this.#source, this.#position + known, length - known);
    return Buffer.concat([this.#ahead, more]);
  }

  #advance(bytes: number): void {
    this.#position += bytes;
    this.#ahead = this.#ahead.subarray(bytes);
  }
}
