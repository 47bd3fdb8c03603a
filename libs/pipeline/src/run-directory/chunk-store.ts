import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { PlannedChunk, Reject, SourceRange } from '../ports.js';
import type { Tally } from '../report/tally.js';
import { makeFolder, writeDurably } from './durable-write.js';
import { completeLines, isMissing, readRecord, recordLine } from './record-line.js';
import type { OnStep } from './run-steps.js';
import { hasShape } from './stored-shape.js';

/** A file that belongs to a committed chunk. */
interface Part {
  readonly bytes: number;
  readonly sha256: string;
}

/** `chunks/000042.ok`: the chunk's place in the corpus, its parts and its counts. */
export interface ChunkReceipt extends PlannedChunk {
  readonly output: Part;
  /** Undefined where no row was rejected; then there is no such file. */
  readonly rejects?: Part | undefined;
  readonly tally: Tally;
}

export class ChunkDamagedError extends Error {
  override readonly name = 'ChunkDamagedError';

  constructor(
    readonly chunk: number,
    readonly file: string,
  ) {
    super(
      `Chunk ${chunk} was committed, but ${file} is missing or no longer what was written. ` +
        'Run the same command again: it labels just this chunk once more.',
    );
  }
}

/**
 * The `chunks` folder. A chunk is committed when its `.ok` proves itself, names the planned bytes of the corpus, and
 * its parts have the hashes that it states. Anything less counts as not there, and the chunk is done again.
 */
export class ChunkStore {
  readonly #folder: string;
  readonly #format: string;
  readonly #onStep: OnStep;

  /** @param format extension of the output parts */
  constructor(folder: string, format: string, onStep: OnStep) {
    this.#folder = folder;
    this.#format = format;
    this.#onStep = onStep;
  }

  async create(): Promise<void> {
    await makeFolder(this.#folder);
  }

  /** The receipt of a chunk that is committed, parts checked; else undefined. */
  async committed(planned: PlannedChunk): Promise<ChunkReceipt | undefined> {
    const receipt = await this.#receipt(planned);
    if (receipt === undefined) return undefined;
    try {
      await drain(this.output(receipt));
      await drain(this.rejects(receipt));
    } catch (error) {
      if (error instanceof ChunkDamagedError) return undefined;
      throw error;
    }
    return receipt;
  }

  /** The receipt of a chunk that must be committed; its parts are checked as they are read. */
  async receipt(planned: PlannedChunk): Promise<ChunkReceipt> {
    const receipt = await this.#receipt(planned);
    if (receipt === undefined) throw new ChunkDamagedError(planned.chunk, this.#path(planned, 'ok'));
    return receipt;
  }

  /** Parts first, `.ok` last: what a crash leaves in between does not count as committed. */
  async commit(
    planned: PlannedChunk,
    output: Uint8Array,
    rejects: readonly Reject[],
    tally: Tally,
  ): Promise<void> {
    await writeDurably(this.#path(planned, this.#format), output, (moment) =>
      this.#onStep(`part-${moment}`, planned.chunk),
    );
    const rejectLines = Buffer.from(rejects.map((reject) => `${JSON.stringify(reject)}\n`).join(''));
    if (rejects.length > 0) {
      await writeDurably(this.#path(planned, 'rejects.jsonl'), rejectLines, (moment) =>
        this.#onStep(`rejects-part-${moment}`, planned.chunk),
      );
    }
    const { chunk, firstRow, rows, range } = planned;
    const receipt: ChunkReceipt = {
      chunk,
      firstRow,
      rows,
      range,
      output: partOf(output),
      rejects: rejects.length > 0 ? partOf(rejectLines) : undefined,
      tally,
    };
    await writeDurably(this.#path(planned, 'ok'), recordLine(receipt), (moment) =>
      this.#onStep(`ok-${moment}`, chunk),
    );
  }

  /** The chunk's labelled rows. @throws ChunkDamagedError, at the end of the bytes at the latest */
  output(receipt: ChunkReceipt): AsyncGenerator<Uint8Array> {
    return this.#read(receipt, this.#format, receipt.output);
  }

  /** The chunk's rejects as JSON lines. @throws ChunkDamagedError, at the end of the bytes at the latest */
  async *rejects(receipt: ChunkReceipt): AsyncGenerator<Uint8Array> {
    if (receipt.rejects) yield* this.#read(receipt, 'rejects.jsonl', receipt.rejects);
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #receipt(planned: PlannedChunk): Promise<ChunkReceipt | undefined> {
    for await (const line of completeLines(this.#path(planned, 'ok'))) {
      const receipt = readRecord(line, isReceipt);
      return receipt !== undefined && samePlan(receipt, planned) ? receipt : undefined;
    }
    return undefined;
  }

  async *#read(receipt: ChunkReceipt, extension: string, part: Part): AsyncGenerator<Uint8Array> {
    const path = this.#path(receipt, extension);
    const hash = createHash('sha256');
    try {
      for await (const block of createReadStream(path) as AsyncIterable<Buffer>) {
        hash.update(block);
        yield block;
      }
    } catch (error) {
      throw isMissing(error) ? new ChunkDamagedError(receipt.chunk, path) : error;
    }
    if (hash.digest('hex') !== part.sha256) throw new ChunkDamagedError(receipt.chunk, path);
  }

  #path({ chunk }: PlannedChunk, extension: string): string {
    return join(this.#folder, `${String(chunk).padStart(6, '0')}.${extension}`);
  }
}

function isReceipt(value: unknown): value is ChunkReceipt {
  return hasShape(value, { chunk: 'number', range: 'object', output: 'object', tally: 'object' });
}

function partOf(bytes: Uint8Array): Part {
  return { bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function samePlan(a: PlannedChunk, b: PlannedChunk): boolean {
  return a.chunk === b.chunk && a.firstRow === b.firstRow && a.rows === b.rows && sameRange(a.range, b.range);
}

function sameRange(a: SourceRange, b: SourceRange): boolean {
  return a.file === b.file && a.start === b.start && a.end === b.end && a.sha256 === b.sha256;
}

async function drain(blocks: AsyncIterable<Uint8Array>): Promise<void> {
  const iterator = blocks[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}
