import type { AnswerForm } from '#pipeline/answer-form.js';
import type { LabelColumns } from '#pipeline/columns.js';
import type { CorpusChunk, RowWriter } from '#pipeline/ports.js';

import { JsonFields, stringValue } from './json-fields.js';
import { answerValues } from './label-values.js';
import { addedNames, carriedName } from './output-names.js';
import type { RecordFields } from './row-columns.js';
import { cellRecord, jsonRecord } from './row-columns.js';
import { spreadsheetSafe } from './spreadsheet-safe.js';

/** More names than this are counted under one. */
const MOST_LEFT_OUT = 100;
const OTHER_FIELDS = 'others';

/**
 * Writes csv by RFC 4180, with line feeds. Of JSON input strings are written as such, null and absent fields as empty
 * cells, everything else as its JSON text.
 *
 * The columns are fixed before the first row. A field of JSON input that is no column (it did not appear in the first
 * rows of the corpus) is left out of its row, the row is written, and `leftOut` counts it.
 */
export class CsvWriter implements RowWriter {
  readonly format = 'csv';
  readonly #fields: RecordFields;
  readonly #added: readonly string[];
  readonly #answer: (columns: LabelColumns, row: number) => string;
  readonly #columns: ReadonlyMap<string, number>;
  readonly #json = new JsonFields();
  readonly #leftOut = new Map<string, number>();
  readonly #cell: (text: string) => string;

  /** @param safe whether cells that spreadsheets would take for formulas are neutralised: fields, labels and names */
  constructor(
    fields: RecordFields,
    labels: readonly string[],
    probabilities: boolean,
    form: AnswerForm,
    safe: boolean,
  ) {
    this.#fields = fields;
    this.#cell = safe ? (text) => cell(spreadsheetSafe(text)) : cell;
    this.#added = addedNames(labels, probabilities, form);
    const isMulti = form.problem === 'multi-label';
    this.#answer = answerValues(
      form,
      // Several are one cell, which is made of their names as they are.
      { one: isMulti ? labels : labels.map(this.#cell), several: (some) => this.#cell(some.join('|')) },
      this.#added.map((_, index) => (index === 0 && fields.names.length === 0 ? '' : ',')),
    );
    this.#columns = new Map(fields.names.map((name, index) => [name, index]));
  }

  /** Rows by the field that they lost, because it is no column; from the 101st name on under `others`. */
  get leftOut(): ReadonlyMap<string, number> {
    return this.#leftOut;
  }

  head(): Buffer {
    const { names } = this.#fields;
    const added = new Set(this.#added);
    const taken = new Set(names);
    const carried = names.map((name) => carriedName(name, added, taken));
    return Buffer.from(`${[...carried, ...this.#added].map(this.#cell).join(',')}\n`);
  }

  rows(chunk: CorpusChunk, labels: LabelColumns): Buffer {
    let text = '';
    for (const [row, record] of chunk.records.entries()) {
      const cells = this.#fields.kind === 'json' ? this.#jsonCells(jsonRecord(record)) : cellRecord(record);
      text += `${cells.map(this.#cell).join(',')}${this.#answer(labels, row)}\n`;
    }
    return Buffer.from(text, 'utf8');
  }

  #jsonCells(json: string): string[] {
    const cells = Array.from(this.#fields.names, () => '');
    this.#json.scan(json);
    for (const [field, name] of this.#json.names.entries()) {
      const column = this.#columns.get(name);
      if (column !== undefined) cells[column] = plainValue(this.#json.value(field));
      else if (!this.#fields.chosen) this.#countLeftOut(name);
    }
    return cells;
  }

  #countLeftOut(name: string): void {
    const key = this.#leftOut.has(name) || this.#leftOut.size < MOST_LEFT_OUT ? name : OTHER_FIELDS;
    this.#leftOut.set(key, (this.#leftOut.get(key) ?? 0) + 1);
  }
}

function plainValue(json: string): string {
  if (json.startsWith('"')) return stringValue(json);
  return json === 'null' ? '' : json;
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
