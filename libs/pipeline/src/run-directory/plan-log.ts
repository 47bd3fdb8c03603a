import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { PlannedChunk } from '../ports.js';
import { syncFolder, withPath } from './durable-write.js';
import { completeLines, readRecord, recordLine } from './record-line.js';
import { hasShape } from './stored-shape.js';

/** The last line of a plan whose corpus was read to its end. */
interface Seal {
  readonly sealed: true;
  readonly chunks: number;
  readonly rows: number;
  /** SHA-256 over the chunks' hashes (64 hex digits each), in order: the corpus hash. */
  readonly sha256: string;
}

/**
 * `plan.jsonl`: one line per chunk in the order of the corpus, appended while labelling, then the seal. What a crash
 * or damage broke is cut off at opening, with all behind it; reading the corpus again plans it the same way.
 */
export class PlanLog {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #chunks = 0;
  #rows = 0;
  #bytes = 0;
  #last: PlannedChunk | undefined;
  #sealed = false;
  /** Chunks known to be on disk. */
  #synced = 0;
  #syncing: Promise<void> | undefined;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async open(path: string): Promise<PlanLog> {
    const plan = new PlanLog(path, await open(path, 'a'));
    try {
      await plan.#file.truncate(await plan.#readBack());
      await plan.#file.sync();
      await syncFolder(dirname(path));
      plan.#synced = plan.#chunks;
    } catch (error) {
      await plan.close();
      throw error;
    }
    return plan;
  }

  get chunks(): number {
    return this.#chunks;
  }

  /** Rows of the planned chunks, rejected ones included. */
  get rows(): number {
    return this.#rows;
  }

  /** Bytes of the corpus in the planned chunks. */
  get bytes(): number {
    return this.#bytes;
  }

  get last(): PlannedChunk | undefined {
    return this.#last;
  }

  /** The corpus was read to its end. */
  get sealed(): boolean {
    return this.#sealed;
  }

  /** Hash of all chunks planned so far; of the corpus, once sealed. */
  get corpusHash(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Appends the next chunk. Not durable before `sync`. */
  async append(planned: PlannedChunk): Promise<void> {
    if (!this.#follows(planned)) {
      throw new Error(
        `Chunk ${planned.chunk} from row ${planned.firstRow} does not follow chunk ${this.#chunks - 1}, ` +
          `which ends at row ${this.#rows}. The corpus reader must give its chunks in order.`,
      );
    }
    await this.#write(lineOf(planned));
    this.#add(planned);
  }

  /** Resolves when the chunk's line is on disk; calls that come together share one fsync. */
  async sync(chunk: number): Promise<void> {
    while (this.#synced <= chunk) {
      this.#syncing ??= this.#syncAll().finally(() => {
        this.#syncing = undefined;
      });
      await this.#syncing;
    }
  }

  /** Says that the corpus has no more chunks. */
  async seal(): Promise<void> {
    const seal: Seal = { sealed: true, chunks: this.#chunks, rows: this.#rows, sha256: this.corpusHash };
    await this.#write(seal);
    await this.#file.sync();
    this.#sealed = true;
  }

  /** The planned chunks, read from disk: a plan may be longer than memory should hold. */
  async *planned(): AsyncGenerator<PlannedChunk> {
    for await (const line of completeLines(this.#path)) {
      const planned = readRecord(line, isPlanned);
      if (planned === undefined) return;
      yield planned;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #write(record: object): Promise<void> {
    try {
      await this.#file.appendFile(recordLine(record));
    } catch (error) {
      throw withPath(error, this.#path);
    }
  }

  /** @returns bytes of the plan that are good */
  async #readBack(): Promise<number> {
    let bytes = 0;
    for await (const line of completeLines(this.#path)) {
      const planned = readRecord(line, isPlanned);
      if (planned && this.#follows(planned)) this.#add(planned);
      else if (this.#isSealedBy(readRecord(line, isSeal))) this.#sealed = true;
      else break;
      bytes += Buffer.byteLength(line) + 1;
    }
    return bytes;
  }

  #follows(planned: PlannedChunk): boolean {
    return !this.#sealed && planned.chunk === this.#chunks && planned.firstRow === this.#rows + 1;
  }

  #isSealedBy(seal: Seal | undefined): boolean {
    return !this.#sealed && seal?.chunks === this.#chunks && seal.sha256 === this.corpusHash;
  }

  #add(planned: PlannedChunk): void {
    this.#chunks += 1;
    this.#rows += planned.rows;
    this.#bytes += planned.range.end - planned.range.start;
    this.#hash.update(planned.range.sha256);
    this.#last = lineOf(planned);
  }

  async #syncAll(): Promise<void> {
    const chunks = this.#chunks;
    await this.#file.sync();
    this.#synced = chunks;
  }
}

function isPlanned(value: unknown): value is PlannedChunk {
  return hasShape(value, { chunk: 'number', firstRow: 'number', rows: 'number', range: 'object' });
}

function isSeal(value: unknown): value is Seal {
  return hasShape(value, { sealed: 'boolean', chunks: 'number', sha256: 'string' });
}

/** The plan's fields alone: a chunk as read carries its rows too. */
function lineOf({ chunk, firstRow, rows, range }: PlannedChunk): PlannedChunk {
  const { file, start, end, sha256 } = range;
  return { chunk, firstRow, rows, range: { file, start, end, sha256 } };
}
