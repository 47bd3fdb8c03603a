import type { ColumnReader } from './column-reader.js';
import type { FieldText } from './row-collector.js';

/** A field of single values that is also read as text. */
export class FlatField {
  readonly #column: ColumnReader;
  readonly #isString: boolean;
  #value: FieldText;

  constructor(column: ColumnReader) {
    this.#column = column;
    this.#isString = column.leaf.type.kind === 'string';
  }

  /** Takes the value of the next row. */
  take(): void {
    const isNull = this.#column.definition < this.#column.leaf.maxDefinition;
    const value = this.#column.take(0);
    this.#value = isNull ? null : value;
  }

  get isUtf8(): boolean {
    return this.#value !== undefined;
  }

  /** The value as text, whatever its type. */
  get text(): FieldText {
    const value = this.#value;
    if (this.#isString || typeof value !== 'string') return value;
    // Dates and the like are strings in JSON, without escapes.
    return value.startsWith('"') ? value.slice(1, -1) : value;
  }

  get json(): string {
    const value = this.#value ?? null;
    return this.#isString || value === null ? JSON.stringify(value) : value;
  }
}
