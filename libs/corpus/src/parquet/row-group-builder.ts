import type { ParquetWriter } from 'hyparquet-writer';
import { JsonFields } from '../json-fields.js';
import type { ValueOfJson, WrittenType, WrittenValue } from './written-type.js';
import { valueOfJson } from './written-type.js';

/** A row group is full with so many rows, characters of JSON, or values. */
const MOST_ROWS = 1 << 16;
const MOST_CHARS = 1 << 23;
const MOST_VALUES = 1 << 21;

interface Column {
  readonly name: string;
  readonly type: WrittenType;
  readonly value: ValueOfJson;
  /** `[rows]` */
  data: (WrittenValue | null)[];
}

/** Gathers rows of JSON as the columns of one row group. */
export class RowGroupBuilder {
  readonly #columns: readonly Column[];
  readonly #byName: ReadonlyMap<string, Column>;
  readonly #json = new JsonFields();
  #rows = 0;
  #chars = 0;

  constructor(types: ReadonlyMap<string, WrittenType>) {
    this.#columns = Array.from(types, ([name, type]) => ({ name, type, value: valueOfJson(type), data: [] }));
    this.#byName = new Map(this.#columns.map((column) => [column.name, column]));
  }

  get rows(): number {
    return this.#rows;
  }

  get isFull(): boolean {
    return (
      this.#rows >= MOST_ROWS || this.#chars >= MOST_CHARS || this.#rows * this.#columns.length >= MOST_VALUES
    );
  }

  /** Of a name that comes twice the last value counts, as for JSON.parse. */
  add(line: string): void {
    for (const { data } of this.#columns) data.push(null);
    this.#json.scan(line);
    for (const [field, name] of this.#json.names.entries()) {
      const column = this.#byName.get(name);
      const json = this.#json.value(field);
      const value = json === 'null' ? null : column?.value(json);
      // The types were made from these very rows.
      if (column === undefined || value === undefined)
        throw new Error(`The column ${name} cannot hold ${json}.`);
      column.data[this.#rows] = value;
    }
    this.#rows++;
    this.#chars += line.length;
  }

  /** The row group; the next row begins another. */
  take(): Parameters<ParquetWriter['write']>[0] {
    const columnData = this.#columns.map((column) => {
      const { name, type, data } = column;
      column.data = [];
      const isFloat = type.kind === 'float' || type.kind === 'double' || type.kind === 'float16';
      return {
        name,
        data,
        // A dictionary would make 0 and -0 one.
        ...(isFloat ? { encoding: 'PLAIN' as const } : {}),
        // Of JSON and bytes the extremes would stand in the footer whole.
        statistics: type.kind !== 'json' && type.kind !== 'bytes',
      };
    });
    const rowGroupSize = this.#rows;
    this.#rows = 0;
    this.#chars = 0;
    return { columnData, rowGroupSize };
  }
}
