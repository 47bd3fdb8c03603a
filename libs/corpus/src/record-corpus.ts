import { createHash } from 'node:crypto';

import type { CorpusChunk, PlannedChunk } from '#pipeline/ports.js';

import type { ByteSource } from './byte-source.js';
import { clipped } from './byte-source.js';
import type { Convention } from './convention.js';
import { CorpusChangedError } from './corpus-errors.js';
import type { FileCorpus } from './file-corpus.js';
import type { ChunkLimits, RawChunk } from './raw-chunk.js';
import { readRawChunk } from './raw-chunk.js';
import type { RecordGrammar } from './record-grammar.js';
import type { SplitLimits } from './record-splitter.js';
import { hashRange, RecordSplitter } from './record-splitter.js';
import type { RecordFields, RowParser } from './row-columns.js';

export interface RecordCorpusParts {
  readonly source: ByteSource;
  /** Index of the file in the corpus. */
  readonly file: number;
  /** Where the first row starts, behind byte order mark and header. */
  readonly bodyStart: number;
  readonly grammar: () => RecordGrammar;
  readonly split: SplitLimits;
  readonly chunk: ChunkLimits;
  /** Rows to read at most; may be infinite. */
  readonly limit: number;
  readonly fields: RecordFields;
  readonly convention: Convention;
  readonly parse: RowParser;
}

/**
 * A corpus of records in one file of bytes.
 *
 * The ranges of its chunks tile the file, up to the last row or the limit: the first holds byte order mark and header
 * too, and blank lines belong to the chunk before them, so that no byte can change unnoticed.
 */
export class RecordCorpus implements FileCorpus {
  readonly #parts: RecordCorpusParts;

  constructor(parts: RecordCorpusParts) {
    this.#parts = parts;
  }

  get bytes(): number | undefined {
    return this.#parts.source.bytes;
  }

  get fields(): RecordFields {
    return this.#parts.fields;
  }

  get convention(): Convention {
    return this.#parts.convention;
  }

  async *chunks(after?: PlannedChunk): AsyncGenerator<CorpusChunk> {
    const { source, file, chunk: full, limit } = this.#parts;
    let start = after?.range.file === file ? after.range.end : 0;
    let firstRow = after === undefined ? 1 : after.firstRow + after.rows;
    const splitter = await this.#splitter(source, start);
    for (let chunk = after === undefined ? 0 : after.chunk + 1; firstRow <= limit; chunk++) {
      const rowsLeft = limit - firstRow + 1;
      const limits = { ...full, rows: Math.min(full.rows, rowsLeft) };
      const raw = await readRawChunk(splitter, firstRow, limits, rowsLeft <= full.rows);
      if (raw.rows === 0) return;
      const end = splitter.start;
      const range = { file, start, end, sha256: splitter.takeHash() };
      yield this.#chunk({ chunk, firstRow, rows: raw.rows, range }, raw);
      firstRow += raw.rows;
      start = end;
    }
  }

  async reread(planned: PlannedChunk): Promise<CorpusChunk> {
    const { start, end } = planned.range;
    const splitter = await this.#splitter(clipped(this.#parts.source, end), start);
    const limits = { rows: planned.rows, bytes: Infinity };
    const raw = await readRawChunk(splitter, planned.firstRow, limits, false);
    this.#expect(
      planned,
      splitter.start === end ? splitter.takeHash() : `rows that end at ${splitter.start}`,
    );
    return this.#chunk(planned, raw);
  }

  async verify(planned: PlannedChunk): Promise<void> {
    const { source, split } = this.#parts;
    const hash = createHash('sha256');
    const { start, end } = planned.range;
    await hashRange(source, start, end, hash, Buffer.allocUnsafeSlow(split.readBytes));
    this.#expect(planned, hash.digest('hex'));
  }

  async close(): Promise<void> {
    await this.#parts.source.close();
  }

  /** Stands at the first row of the chunk that starts there. */
  async #splitter(source: ByteSource, start: number): Promise<RecordSplitter> {
    const { grammar, split, bodyStart } = this.#parts;
    const splitter = new RecordSplitter(source, start, grammar(), split);
    if (start === 0 && bodyStart > 0) await splitter.passTo(bodyStart);
    return splitter;
  }

  #chunk(planned: PlannedChunk, raw: RawChunk): CorpusChunk {
    const { chunk, firstRow, rows, range } = planned;
    const columns = this.#parts.parse(raw);
    columns.rejects.sort((one, other) => one.row - other.row);
    return { chunk, firstRow, rows, range, ...columns };
  }

  #expect({ range }: PlannedChunk, found: string): void {
    if (found === range.sha256) return;
    throw new CorpusChangedError(this.#parts.source.path, range, range.sha256, found);
  }
}
