import { createHash } from 'node:crypto';
import type { CorpusChunk, PlannedChunk } from '#pipeline/ports.js';
import type { ByteSource } from '../byte-source.js';
import { FileSource } from '../byte-source.js';
import type { Convention } from '../convention.js';
import { CorpusChangedError, CorpusOpenError } from '../corpus-errors.js';
import type { FileOptions } from '../corpus-options.js';
import { MAX_COLUMNS } from '../corpus-options.js';
import { recogniseFields } from '../field-names.js';
import type { FileCorpus } from '../file-corpus.js';
import type { ChunkLimits } from '../raw-chunk.js';
import { hashRange } from '../record-splitter.js';
import type { RecordFields } from '../row-columns.js';
import { DecodeLedger } from './decode-ledger.js';
import { ParquetDataError } from './parquet-errors.js';
import type { ParquetFooter } from './parquet-footer.js';
import { readFooter } from './parquet-footer.js';
import type { ReadPlan } from './read-plan.js';
import { readPlan, recordFields } from './read-plan.js';
import type { RowCollector } from './row-collector.js';
import { RowPositions } from './row-positions.js';
import { RowReader } from './row-reader.js';

interface ParquetCorpusParts {
  readonly source: ByteSource;
  /** Index of the file in the corpus. */
  readonly file: number;
  readonly footer: ParquetFooter;
  readonly plan: ReadPlan;
  readonly fields: RecordFields;
  readonly convention: Convention;
  readonly chunk: ChunkLimits;
  /** Rows to read at most; may be infinite. */
  readonly limit: number;
  readonly readBytes: number;
  readonly maxDecompressedBytes: number | undefined;
}

/** The bytes of a row group's columns that are read. */
interface RowGroupHash {
  /** Of the footer and all of them. */
  readonly sha256: string;
  /** `[leaves]` */
  readonly columns: readonly string[];
}

/**
 * Opens a Parquet file: reads its footer, and no row yet.
 * @param file index in the corpus
 * @throws CorpusOpenError when the file, its footer or options make reading pointless
 */
export async function openParquetCorpus(options: FileOptions, file: number): Promise<ParquetCorpus> {
  const { path } = options;
  if (path === '-') {
    throw new CorpusOpenError(
      path,
      'standard input cannot be Parquet, which is read from its end. Write it to a file, and label that.',
    );
  }
  const source = await FileSource.open(path);
  try {
    const footer = await readFooter(source, options.maxColumns ?? MAX_COLUMNS);
    const convention = recogniseFields(
      options,
      footer.fields.map(({ name }) => name),
    );
    const plan = readPlan({ ...options, ...convention.reading }, footer.fields);
    return new ParquetCorpus({
      source,
      file,
      footer,
      plan,
      fields: recordFields(options, plan),
      convention,
      chunk: { rows: options.chunkRows ?? 1024, bytes: options.chunkBytes ?? 1 << 24 },
      limit: options.limit ?? Infinity,
      readBytes: options.readBytes ?? 1 << 18,
      maxDecompressedBytes: options.maxDecompressedBytes,
    });
  } catch (error) {
    await source.close();
    throw error;
  }
}

/**
 * The rows of a Parquet file, in its order. A chunk has rows of one row group.
 *
 * The range of a chunk is from row to row, in the positions of `RowPositions`; the ranges tile the file. Its hash is that
 * of its whole row group, because a few rows cannot be told from the bytes of a column: the footer, and the bytes of all
 * columns that are read. It is made before the first row of the row group is decoded, and the bytes that were decoded
 * are compared with it before the last chunk is given out, so that no change between the two goes unnoticed.
 */
export class ParquetCorpus implements FileCorpus {
  readonly #parts: ParquetCorpusParts;
  readonly #positions: RowPositions;
  readonly #footerHash: Buffer;
  /** The row group that was verified last, and where the chunk that asked for it ended. */
  #verified: { readonly rowGroup: number; readonly sha256: string; readonly end: number } | undefined;

  constructor(parts: ParquetCorpusParts) {
    this.#parts = parts;
    this.#positions = new RowPositions(parts.footer.rowGroups);
    this.#footerHash = createHash('sha256').update(parts.footer.bytes).digest();
  }

  get fields(): RecordFields {
    return this.#parts.fields;
  }

  get convention(): Convention {
    return this.#parts.convention;
  }

  /** About those of the file: where its last row ends, in the positions that ranges are given in. */
  get bytes(): number {
    return this.#positions.end;
  }

  async *chunks(after?: PlannedChunk): AsyncGenerator<CorpusChunk> {
    const { file, footer, chunk: full, limit } = this.#parts;
    const from = after?.range.file === file ? this.#place(after, after.range.end) : { rowGroup: 0, row: 0 };
    let firstRow = after === undefined ? 1 : after.firstRow + after.rows;
    let chunk = after === undefined ? 0 : after.chunk + 1;
    const ledger = this.#ledger();
    for (let index = from.rowGroup; index < footer.rowGroups.length && firstRow <= limit; index++) {
      const { rows } = footer.rowGroups[index]!;
      let row = index === from.rowGroup ? from.row : 0;
      if (row === rows) continue;
      const hash = await this.#hash(index);
      const reader = await this.#reader(index, row, ledger);
      while (row < rows && firstRow <= limit) {
        const most = Math.min(full.rows, rows - row, limit - firstRow + 1);
        const read = await this.#read(index, hash, async () => {
          const found = await reader.read({ ...full, rows: most }, firstRow);
          if (row + found.rows === rows) this.#expectHashes(index, hash, await reader.finish());
          return found;
        });
        const start = this.#positions.of({ rowGroup: index, row });
        row += read.rows;
        const range = { file, start, end: this.#positions.of({ rowGroup: index, row }), sha256: hash.sha256 };
        yield chunkOf({ chunk, firstRow, rows: read.rows, range }, read);
        chunk++;
        firstRow += read.rows;
      }
    }
  }

  async reread(planned: PlannedChunk): Promise<CorpusChunk> {
    const { rowGroup, row } = this.#place(planned, planned.range.start);
    const group = this.#parts.footer.rowGroups[rowGroup];
    const end = row + planned.rows;
    if (
      group === undefined ||
      end > group.rows ||
      this.#positions.of({ rowGroup, row: end }) !== planned.range.end
    ) {
      throw this.#changed(planned, 'other rows');
    }
    this.#expect(planned, (await this.#hash(rowGroup)).sha256);
    const reader = await this.#reader(rowGroup, row, this.#ledger());
    return chunkOf(planned, await reader.read({ rows: planned.rows, bytes: Infinity }, planned.firstRow));
  }

  async verify(planned: PlannedChunk): Promise<void> {
    const { rowGroup } = this.#place(planned, planned.range.start);
    if (rowGroup >= this.#parts.footer.rowGroups.length) throw this.#changed(planned, 'no such rows');
    // The chunks of a row group, verified one after another, share one look at its bytes.
    const known = this.#verified;
    const goesOn = known?.rowGroup === rowGroup && known.end === planned.range.start;
    const sha256 = goesOn ? known.sha256 : (await this.#hash(rowGroup)).sha256;
    this.#expect(planned, sha256);
    this.#verified = { rowGroup, sha256, end: planned.range.end };
  }

  async close(): Promise<void> {
    await this.#parts.source.close();
  }

  async #reader(index: number, row: number, ledger: DecodeLedger): Promise<RowReader> {
    const { source, plan, footer } = this.#parts;
    const reader = await RowReader.open({ source, plan, ledger, rowGroup: footer.rowGroups[index]!, index });
    await reader.skip(row);
    return reader;
  }

  /** Where rows cannot be decoded because their bytes were changed since they were hashed, says that. */
  async #read<T>(index: number, hash: RowGroupHash, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof ParquetDataError)
        this.#expectHashes(index, hash, (await this.#hash(index)).columns);
      throw error;
    }
  }

  #ledger(): DecodeLedger {
    const { source, maxDecompressedBytes } = this.#parts;
    return new DecodeLedger(source.path, source.bytes ?? 0, maxDecompressedBytes);
  }

  async #hash(index: number): Promise<RowGroupHash> {
    const { source, plan, footer, readBytes } = this.#parts;
    const whole = createHash('sha256').update(this.#footerHash);
    const columns: string[] = [];
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    for (const leaf of plan.leaves) {
      const { start, end } = footer.rowGroups[index]!.columns[leaf.index]!;
      const hash = createHash('sha256');
      await hashRange(source, start, end, hash, buffer);
      const sha256 = hash.digest('hex');
      columns.push(sha256);
      whole.update(sha256);
    }
    return { sha256: whole.digest('hex'), columns };
  }

  #expectHashes(index: number, { columns }: RowGroupHash, decoded: readonly (string | undefined)[]): void {
    for (const [place, found] of decoded.entries()) {
      const expected = columns[place]!;
      if (found === undefined || found === expected) continue;
      const leaf = this.#parts.plan.leaves[place]!;
      const { start, end } = this.#parts.footer.rowGroups[index]!.columns[leaf.index]!;
      throw new CorpusChangedError(this.#parts.source.path, { start, end }, expected, found);
    }
  }

  #place(planned: PlannedChunk, position: number): { readonly rowGroup: number; readonly row: number } {
    const place = this.#positions.find(position);
    if (place === undefined) throw this.#changed(planned, 'no such rows');
    return place;
  }

  #expect(planned: PlannedChunk, found: string): void {
    if (found !== planned.range.sha256) throw this.#changed(planned, found);
  }

  #changed({ range }: PlannedChunk, found: string): CorpusChangedError {
    return new CorpusChangedError(this.#parts.source.path, range, range.sha256, found);
  }
}

/** The plan's fields come from `planned`, the others from what was read. */
function chunkOf(
  { chunk, firstRow, rows, range }: PlannedChunk,
  { texts, pairs, golds, records, bytes, rejects }: RowCollector,
): CorpusChunk {
  // The range is of columns as they are stored: compressed, and a value that many rows have once.
  return { chunk, firstRow, rows, range, texts, pairs, golds, records, recordBytes: bytes, rejects };
}
