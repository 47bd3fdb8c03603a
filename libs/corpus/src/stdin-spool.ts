import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';

import type { ByteSource } from './byte-source.js';
import { FileSource } from './byte-source.js';
import { CorpusChangedError } from './corpus-errors.js';
import { expectGiven } from './expect-bytes.js';
import { hashRange } from './record-splitter.js';
import { seal, sealedBytes } from './spool-seal.js';

/**
 * Standard input, kept in a file while it is read, so that a run can be resumed: the spool.
 *
 * Readers see a byte only once it is in the spool. When the stream has ended, `<spool>.sealed` holds the number of its
 * bytes; from then on the spool is the corpus and no stream is needed. A stream that is given all the same must have the
 * spool's bytes. A spool that is not sealed is compared with the stream, byte by byte, and continued.
 */
export class SpoolSource implements ByteSource {
  readonly path: string;
  readonly #spool: FileHandle;
  readonly #stream: Readable;
  /** Bytes in the spool that are known to be the stream's. */
  #ready = 0;
  #state: 'open' | 'sealed' | 'failed' | 'closed' = 'open';
  #failure: unknown;
  #waiting: (() => void)[] = [];
  readonly #pumping: Promise<void>;

  private constructor(path: string, spool: FileHandle, spooled: number, stream: Readable) {
    this.path = path;
    this.#spool = spool;
    this.#stream = stream;
    this.#pumping = this.#pump(spooled);
  }

  /** @throws CorpusChangedError when a sealed spool has not the bytes it was sealed with, or the stream has others */
  static async open(stdin: { readonly stream: Readable; readonly spoolPath: string }): Promise<ByteSource> {
    const { stream, spoolPath } = stdin;
    const sealed = await sealedBytes(spoolPath);
    if (sealed !== undefined) return wholeSpool(spoolPath, sealed, stream);
    const spool = await open(spoolPath, 'a+');
    const { size } = await spool.stat();
    return new SpoolSource(spoolPath, spool, size, stream);
  }

  get bytes(): number | undefined {
    return this.#state === 'sealed' ? this.#ready : undefined;
  }

  async read(target: Buffer, position: number): Promise<number> {
    while (this.#state === 'open' && position >= this.#ready) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#state === 'failed') throw this.#failure;
    // Not the end of the corpus: a reader that took it for that would lose rows.
    if (this.#state === 'closed') throw new Error(`${this.path} was closed while it was read.`);
    const length = Math.min(target.length, this.#ready - position);
    if (length <= 0) return 0;
    const { bytesRead } = await this.#spool.read(target, 0, length, position);
    return bytesRead;
  }

  async close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed';
    this.#stream.destroy();
    this.#wake();
    await this.#pumping;
    await this.#spool.close();
  }

  async #pump(spooled: number): Promise<void> {
    try {
      for await (const block of this.#stream) {
        if (this.#state !== 'open') return;
        await this.#take(Buffer.isBuffer(block) ? block : Buffer.from(String(block)), spooled);
        this.#wake();
      }
      if (this.#ready < spooled) throw this.#changed(spooled, 'the end of standard input');
      await this.#spool.sync();
      await seal(this.path, this.#ready);
      this.#state = 'sealed';
    } catch (error) {
      if (this.#state === 'open') {
        this.#state = 'failed';
        this.#failure = error;
      }
    } finally {
      this.#wake();
    }
  }

  /** Compares a block with what the spool has of it, and adds the rest. */
  async #take(block: Buffer, spooled: number): Promise<void> {
    const known = Math.min(block.length, Math.max(0, spooled - this.#ready));
    if (known > 0) {
      const before = Buffer.alloc(known);
      await this.#spool.read(before, 0, known, this.#ready);
      if (!before.equals(block.subarray(0, known))) throw this.#changed(this.#ready + known, 'other bytes');
    }
    await this.#spool.appendFile(block.subarray(known));
    this.#ready += block.length;
  }

  #changed(end: number, found: string): CorpusChangedError {
    const range = { start: this.#ready, end };
    return new CorpusChangedError('Standard input', range, `as they were spooled in ${this.path}`, found);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

async function wholeSpool(path: string, sealed: number, stream: Readable): Promise<FileSource> {
  const source = await FileSource.open(path);
  try {
    const range = { file: 0, start: 0, end: sealed };
    if (source.bytes !== sealed) {
      throw new CorpusChangedError(path, range, `${sealed} bytes`, `${source.bytes} bytes`);
    }
    const hash = createHash('sha256');
    await hashRange(source, 0, sealed, hash, Buffer.allocUnsafeSlow(1 << 18));
    await expectGiven(stream, [{ ...range, sha256: hash.digest('hex') }], sealed);
    return source;
  } catch (error) {
    await source.close();
    throw error;
  }
}
