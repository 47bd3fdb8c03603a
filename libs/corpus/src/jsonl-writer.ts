import type { AnswerForm } from '#pipeline/answer-form.js';
import type { LabelColumns } from '#pipeline/columns.js';
import type { CorpusChunk, RowWriter } from '#pipeline/ports.js';

import { JsonFields } from './json-fields.js';
import { answerValues } from './label-values.js';
import { addedNames, carriedName } from './output-names.js';
import type { RecordFields } from './row-columns.js';
import { cellRecord, jsonRecord } from './row-columns.js';

/**
 * Writes JSON lines. Of JSON input every field keeps the text that it was written with, so that 64-bit integers,
 * escapes and order survive; cells become strings.
 */
export class JsonlWriter implements RowWriter {
  readonly format = 'jsonl';
  readonly #added: ReadonlySet<string>;
  readonly #answer: (columns: LabelColumns, row: number) => string;
  /** The fields of a record, from the opening brace on; the closing one is still to come. */
  readonly #carry: (record: unknown) => string;

  constructor(fields: RecordFields, labels: readonly string[], probabilities: boolean, form: AnswerForm) {
    const added = addedNames(labels, probabilities, form);
    this.#added = new Set(added);
    this.#answer = answerValues(
      form,
      { one: labels.map((label) => JSON.stringify(label)), several: (some) => `[${some.join(',')}]` },
      added.map((name) => `,${JSON.stringify(name)}:`),
    );
    this.#carry = fields.kind === 'json' ? this.#jsonCarrier(fields) : this.#cellCarrier(fields);
  }

  head(): Buffer {
    return Buffer.alloc(0);
  }

  rows(chunk: CorpusChunk, labels: LabelColumns): Buffer {
    let text = '';
    for (const [row, record] of chunk.records.entries()) {
      const carried = this.#carry(record);
      const added = this.#answer(labels, row);
      text += `${carried === '{' ? `{${added.slice(1)}` : carried + added}}\n`;
    }
    return Buffer.from(text, 'utf8');
  }

  #cellCarrier(fields: RecordFields): (record: unknown) => string {
    const taken = new Set(fields.names);
    const before = fields.names.map((name, index) => {
      const key = JSON.stringify(carriedName(name, this.#added, taken));
      return `${index === 0 ? '' : ','}${key}:`;
    });
    return (record) => {
      const cells = cellRecord(record);
      let text = '{';
      for (let index = 0; index < cells.length; index++) text += before[index] + JSON.stringify(cells[index]);
      return text;
    };
  }

  #jsonCarrier(fields: RecordFields): (record: unknown) => string {
    const found = new JsonFields();
    const chosen = new Set(fields.names);
    return (record) => {
      const json = jsonRecord(record);
      found.scan(json);
      return fields.chosen ? this.#chosenFields(found, chosen) : this.#allFields(json, found);
    };
  }

  /** The object as it is written, but for keys that need another name. */
  #allFields(json: string, fields: JsonFields): string {
    const { names } = fields;
    // Made where it is needed: most rows have no field of an added name.
    let taken: Set<string> | undefined;
    let text = '';
    let from = fields.open;
    for (let field = 0; field < names.length; field++) {
      const name = names[field] ?? '';
      if (!this.#added.has(name)) continue;
      taken ??= new Set(names);
      text +=
        json.slice(from, fields.keyStart(field)) + JSON.stringify(carriedName(name, this.#added, taken));
      from = fields.keyEnd(field);
    }
    return text + json.slice(from, fields.end);
  }

  #chosenFields(fields: JsonFields, chosen: ReadonlySet<string>): string {
    const kept = new Set(fields.names.filter((name) => chosen.has(name)));
    let text = '{';
    for (const [field, name] of fields.names.entries()) {
      if (!chosen.has(name)) continue;
      const separator = text === '{' ? '' : ',';
      const carried = carriedName(name, this.#added, kept);
      text +=
        separator +
        (carried === name ? fields.text(field) : `${JSON.stringify(carried)}:${fields.value(field)}`);
    }
    return text;
  }
}
