import type { ByteSource } from '../byte-source.js';
import { CorpusChangedError } from '../corpus-errors.js';
import { ColumnReader } from './column-reader.js';
import type { DecodeLedger } from './decode-ledger.js';
import type { ReadJson, RowAssembly } from './field-json.js';
import { fieldJson } from './field-json.js';
import { FlatField } from './flat-field.js';
import { ParquetColumnError, ParquetDataError, ParquetLimitError } from './parquet-errors.js';
import type { Leaf, SchemaNode } from './parquet-schema.js';
import type { ReadPlan } from './read-plan.js';
import { RowCollector } from './row-collector.js';
import type { RowGroup } from './row-group.js';
import { valueText } from './value-text.js';

export interface RowReaderParts {
  readonly source: ByteSource;
  readonly plan: ReadPlan;
  readonly ledger: DecodeLedger;
  readonly rowGroup: RowGroup;
  /** Of the row group, from 0. */
  readonly index: number;
}

/** Reads the rows of one row group, once and in order. Its methods throw ParquetDataError and ParquetLimitError. */
export class RowReader {
  readonly #parts: RowReaderParts;
  readonly #columns: readonly ColumnReader[];
  /** The fields that are read as text. */
  readonly #flat = new Map<SchemaNode, FlatField>();
  readonly #fields: readonly { readonly before: string; readonly read: ReadJson }[];
  #notUtf8 = false;

  private constructor(parts: RowReaderParts, columns: readonly ColumnReader[]) {
    this.#parts = parts;
    this.#columns = columns;
    const byLeaf = new Map(columns.map((column) => [column.leaf.index, column]));
    const { carried, text, pair, label, maxRowBytes } = parts.plan;
    const row: RowAssembly = {
      column: (leaf) => byLeaf.get(leaf)!,
      onNotUtf8: () => (this.#notUtf8 = true),
      mostChars: maxRowBytes,
    };
    for (const field of [text, pair, label]) {
      if (field !== undefined) this.#flat.set(field, new FlatField(row.column(field.leaves[0]!.index)));
    }
    this.#fields = carried.map((field, index) => {
      const flat = this.#flat.get(field);
      return {
        before: `${index === 0 ? '' : ','}${JSON.stringify(field.name)}:`,
        read: flat === undefined ? fieldJson(field, row) : () => flat.json,
      };
    });
  }

  static async open(parts: RowReaderParts): Promise<RowReader> {
    const { source, plan, ledger, rowGroup } = parts;
    const columns: ColumnReader[] = [];
    for (const leaf of plan.leaves) {
      const text = valueText(leaf.type, leaf.physical);
      const opening = (): Promise<ColumnReader> =>
        ColumnReader.open(source, rowGroup.columns[leaf.index]!, leaf, text, ledger);
      columns.push(await located(parts, leaf, opening));
    }
    return new RowReader(parts, columns);
  }

  async skip(rows: number): Promise<void> {
    for (const column of this.#columns) await this.#in(column, () => column.skip(rows));
  }

  /**
   * Reads the next rows.
   * @param limits the chunk is full with so many rows, or with the row that brings its records to so many bytes
   * @param firstRow number of the first one in the corpus
   */
  async read(
    limits: { readonly rows: number; readonly bytes: number },
    firstRow: number,
  ): Promise<RowCollector> {
    const { text, pair, label, maxRowBytes } = this.#parts.plan;
    const names = { text: text.name, pair: pair?.name, label: label?.name };
    const found = new RowCollector(names, maxRowBytes, firstRow);
    while (found.rows < limits.rows && found.bytes < limits.bytes) {
      let ready = limits.rows - found.rows;
      for (const column of this.#columns) {
        if (column.rows === 0) await this.#in(column, () => column.fill());
        ready = Math.min(ready, column.rows);
      }
      await located(this.#parts, undefined, async () => {
        for (; ready > 0 && found.bytes < limits.bytes; ready--) this.#readRow(found);
      });
    }
    return found;
  }

  /** After the last row: the hash of each column's bytes, undefined where some were not read, `[leaves]`. */
  async finish(): Promise<(string | undefined)[]> {
    const hashes: (string | undefined)[] = [];
    for (const column of this.#columns) hashes.push(await this.#in(column, () => column.finish()));
    return hashes;
  }

  #readRow(found: RowCollector): void {
    this.#notUtf8 = false;
    for (const field of this.#flat.values()) {
      field.take();
      if (!field.isUtf8) this.#notUtf8 = true;
    }
    let json = '{';
    for (const { before, read } of this.#fields) json += before + read(0);
    json += '}';
    const bytes = Buffer.byteLength(json);
    this.#parts.ledger.comesOut(bytes);
    const { text, pair, label } = this.#parts.plan;
    const row = {
      json,
      notUtf8: this.#notUtf8,
      text: this.#text(text),
      pair: this.#text(pair),
      label: this.#text(label),
    };
    found.add(row, bytes);
  }

  #text(field: SchemaNode | undefined): FlatField['text'] {
    return field && this.#flat.get(field)?.text;
  }

  #in<T>(column: ColumnReader, act: () => Promise<T>): Promise<T> {
    return located(this.#parts, column.leaf, act);
  }
}

/** Says of an error in which file, row group and column it is. */
async function located<T>(
  { source, index }: RowReaderParts,
  leaf: Leaf | undefined,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof CorpusChangedError || cause instanceof ParquetLimitError) throw cause;
    const column = cause instanceof ParquetColumnError ? cause.column : leaf?.path;
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new ParquetDataError(source.path, index, column, problem, { cause });
  }
}
