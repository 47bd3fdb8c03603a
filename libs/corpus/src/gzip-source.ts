import type { ByteSource } from './byte-source.js';
import { CorpusOpenError } from './corpus-errors.js';
import type { GunzipLimits } from './gunzip-reader.js';
import { GunzipReader } from './gunzip-reader.js';

const IN_BYTES = 1 << 15;

/**
 * Cursors of a file: one that reads on, and one that follows where records are looked at again that are too long to be
 * kept. Each goes forward only, so that even then every byte is decompressed about twice, not once for each such record.
 */
const CURSORS = 2;

/** Whether the bytes are the start of a gzip member. */
export function isGzip(start: Buffer): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

/**
 * The source itself, or its content where it is compressed.
 * @throws CorpusOpenError when a name that ends in `.gz` is all that is gzip about it
 */
export async function decompressed(source: ByteSource, limits: GunzipLimits): Promise<ByteSource> {
  const start = Buffer.alloc(2);
  let length = 0;
  while (length < 2) {
    const read = await source.read(start.subarray(length), length);
    if (read === 0) break;
    length += read;
  }
  if (isGzip(start)) return new GzipSource(source, limits);
  if (!source.path.toLowerCase().endsWith('.gz')) return source;
  throw new CorpusOpenError(
    source.path,
    `its name ends in .gz, but it is ${length === 0 ? 'empty' : 'not compressed'}. Rename it or get it again.`,
  );
}

/** The content of a gzip file: places are those in the decompressed bytes. */
export class GzipSource implements ByteSource {
  readonly path: string;
  readonly #compressed: ByteSource;
  readonly #limits: GunzipLimits;
  #cursors: Cursor[] = [];
  /** Bytes of the content, once its end was seen. */
  #end: number | undefined;
  /** The last read; one waits for the other. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(compressed: ByteSource, limits: GunzipLimits) {
    this.path = compressed.path;
    this.#compressed = compressed;
    this.#limits = limits;
  }

  /** Before the end was seen it is a guess: as if the rest were compressed as well as what was read. */
  get bytes(): number | undefined {
    if (this.#end !== undefined) return this.#end;
    const compressed = this.#compressed.bytes;
    const furthest = this.#cursors.at(-1);
    if (compressed === undefined || furthest === undefined || furthest.consumed === 0) return undefined;
    return Math.round((furthest.produced / furthest.consumed) * compressed);
  }

  /** @throws GzipDataError, GzipLimitError */
  read(target: Buffer, position: number): Promise<number> {
    const reading = this.#reading.then(() => this.#read(target, position));
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  async close(): Promise<void> {
    await this.#compressed.close();
    for (const cursor of this.#cursors) cursor.close();
    this.#cursors = [];
  }

  async #read(target: Buffer, position: number): Promise<number> {
    const cursor = this.#cursorAt(position);
    try {
      const read = await cursor.read(target, position);
      if (read === 0 && target.length > 0) this.#end = cursor.end;
      this.#cursors.sort((one, other) => one.start - other.start);
      return read;
    } catch (error) {
      // It must not be taken for one that has come to the end.
      this.#drop(cursor);
      throw error;
    }
  }

  /** The cursor with the shortest way to go; a new one where all have gone too far. */
  #cursorAt(position: number): Cursor {
    const nearest = this.#cursors.findLast(({ start }) => start <= position);
    if (nearest !== undefined) return nearest;
    if (this.#cursors.length === CURSORS) this.#drop(this.#cursors[0]!);
    const blocks = blocksOf(this.#compressed);
    const cursor = new Cursor(new GunzipReader(this.path, blocks, this.#limits));
    this.#cursors.unshift(cursor);
    return cursor;
  }

  #drop(cursor: Cursor): void {
    this.#cursors = this.#cursors.filter((other) => other !== cursor);
    cursor.close();
  }
}

/** A place in the content that can only go forward, block by block. */
class Cursor {
  readonly #reader: GunzipReader;
  /** Place of the block's first byte. */
  #start = 0;
  #block: Buffer = Buffer.alloc(0);

  constructor(reader: GunzipReader) {
    this.#reader = reader;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#start + this.#block.length;
  }

  get consumed(): number {
    return this.#reader.consumed;
  }

  get produced(): number {
    return this.#reader.produced;
  }

  async read(target: Buffer, position: number): Promise<number> {
    while (position >= this.end) {
      const next = await this.#reader.next();
      if (next === undefined) return 0;
      this.#start = this.end;
      this.#block = next;
    }
    return this.#block.copy(target, 0, position - this.#start);
  }

  close(): void {
    this.#reader.close();
  }
}

async function* blocksOf(source: ByteSource): AsyncGenerator<Buffer> {
  for (let position = 0; ;) {
    const block = Buffer.allocUnsafeSlow(IN_BYTES);
    const read = await source.read(block, position);
    if (read === 0) return;
    position += read;
    yield block.subarray(0, read);
  }
}
