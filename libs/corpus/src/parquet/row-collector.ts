import type { Reject } from '#pipeline/ports.js';
import type { RowColumns } from '../row-columns.js';

/** A value of a field that is read as text: null where there is none, undefined where it is not UTF-8. */
export type FieldText = string | null | undefined;

/** A row as it comes out of the columns. */
export interface ReadRow {
  /** Its record. */
  readonly json: string;
  /** A string of it is not UTF-8. */
  readonly notUtf8: boolean;
  readonly text: FieldText;
  readonly pair: FieldText;
  readonly label: FieldText;
}

/** Names of the fields that are read. */
interface Names {
  readonly text: string;
  readonly pair: string | undefined;
  readonly label: string | undefined;
}

/** Gathers the rows of a chunk: the accepted as columns, the others with the reason. */
export class RowCollector implements RowColumns {
  readonly texts: string[] = [];
  readonly pairs: string[] | undefined;
  readonly golds: (string | undefined)[] | undefined;
  readonly records: string[] = [];
  readonly rejects: Reject[] = [];
  /** Rows, rejected ones included. */
  rows = 0;
  /** Of the accepted rows' records. */
  bytes = 0;
  readonly #names: Names;
  readonly #maxRowBytes: number;
  readonly #firstRow: number;

  /** @param firstRow number of the first row in the corpus */
  constructor(names: Names, maxRowBytes: number, firstRow: number) {
    this.#names = names;
    this.#maxRowBytes = maxRowBytes;
    this.#firstRow = firstRow;
    this.pairs = names.pair === undefined ? undefined : [];
    this.golds = names.label === undefined ? undefined : [];
  }

  /** @param bytes of the record */
  add({ json, notUtf8, text, pair, label }: ReadRow, bytes: number): void {
    const row = this.#firstRow + this.rows++;
    if (bytes > this.#maxRowBytes) {
      const message = `expected at most ${this.#maxRowBytes} bytes, got ${bytes}`;
      this.rejects.push({ row, reason: 'too-long', message });
    } else if (notUtf8) {
      this.rejects.push({ row, reason: 'invalid-utf8', message: 'expected UTF-8, got other bytes' });
    } else if (typeof text !== 'string') {
      this.rejects.push(noString(row, 'text', this.#names.text));
    } else if (this.pairs !== undefined && typeof pair !== 'string') {
      this.rejects.push(noString(row, 'pair', this.#names.pair ?? ''));
    } else {
      this.texts.push(text);
      this.pairs?.push(pair ?? '');
      this.golds?.push(label ?? undefined);
      this.records.push(json);
      this.bytes += bytes;
    }
  }
}

function noString(row: number, role: 'text' | 'pair', field: string): Reject {
  const message = `expected a string in the field ${JSON.stringify(field)}, got null`;
  return { row, reason: `${role}-not-string`, message };
}
