import type { ByteWriter } from 'hyparquet-writer';
import type { AnswerForm } from '#pipeline/answer-form.js';
import type { LabelColumns } from '#pipeline/columns.js';
import type { CorpusChunk, RowWriter } from '#pipeline/ports.js';
import { JsonFields } from '../json-fields.js';
import { JsonlWriter } from '../jsonl-writer.js';
import { addedNames, carriedName } from '../output-names.js';
import type { RecordFields } from '../row-columns.js';
import { ColumnTypes } from './column-types.js';
import { jsonLines } from './json-lines.js';
import { RowGroupBuilder } from './row-group-builder.js';
import type { WrittenType } from './written-type.js';
import { schemaElement } from './written-type.js';

/** What labelling adds, where it is no number. */
const ADDED: ReadonlyMap<string, WrittenType> = new Map([
  ['label', { kind: 'string' }],
  ['labels', { kind: 'json' }],
  ['exit_layer', { kind: 'integer', bits: 32, signed: true }],
]);
const NUMBER: WrittenType = { kind: 'float' };

/**
 * Writes Parquet: Snappy, every column of the input optional. Parquet cannot be put together from pieces, so the chunks
 * are kept as JSON lines, and the merge makes the file of them: it reads them once for the types of the columns, and
 * once to write them, a row group at a time.
 *
 * Columns of Parquet input keep their types; lists and groups become JSON. Cells of a table are strings. The types of
 * JSON fields are those that hold all values of the output exactly (`ColumnTypes`).
 */
export class ParquetRowWriter implements RowWriter {
  readonly format = 'parquet';
  readonly #fields: RecordFields;
  readonly #lines: JsonlWriter;
  readonly #added: ReadonlyMap<string, WrittenType>;
  readonly #mostColumns: number;

  /** @param mostColumns fields of the corpus that it may carry */
  constructor(
    fields: RecordFields,
    labels: readonly string[],
    probabilities: boolean,
    form: AnswerForm,
    mostColumns: number,
  ) {
    this.#fields = fields;
    this.#lines = new JsonlWriter(fields, labels, probabilities, form);
    const names = addedNames(labels, probabilities, form);
    this.#added = new Map(names.map((name) => [name, ADDED.get(name) ?? NUMBER]));
    this.#mostColumns = mostColumns;
  }

  head(): Buffer {
    return Buffer.alloc(0);
  }

  rows(chunk: CorpusChunk, labels: LabelColumns): Buffer {
    return this.#lines.rows(chunk, labels);
  }

  async *merge(rows: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    // Only here: no other run shall wait for the library to load.
    const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
    const carried = await this.#carriedTypes(rows());
    const columns = new Map([...carried, ...this.#added]);
    const bytes = new ByteWriter();
    const schema = Array.from(columns, ([name, type]) => schemaElement(name, type, this.#added.has(name)));
    const file = new ParquetWriter({
      writer: bytes,
      schema: [{ name: 'schema', num_children: schema.length }, ...schema],
      createdBy: 'sluice',
    });
    const group = new RowGroupBuilder(columns);
    for await (const lines of jsonLines(rows())) {
      for (const line of lines) {
        group.add(line);
        if (!group.isFull) continue;
        await file.write(group.take());
        yield takeBytes(bytes);
      }
    }
    if (group.rows > 0) await file.write(group.take());
    await file.finish();
    yield takeBytes(bytes);
  }

  async #carriedTypes(rows: AsyncIterable<Uint8Array>): Promise<Map<string, WrittenType>> {
    const types = new ColumnTypes(this.#mostColumns);
    const { kind, names, types: declared } = this.#fields;
    // The rows of JSON lines alone say what fields they have.
    if (kind === 'cells' || declared !== undefined) {
      const added = new Set(this.#added.keys());
      const taken = new Set(names);
      for (const name of names) {
        const type = kind === 'cells' ? ({ kind: 'string' } as const) : declared?.get(name);
        types.declare(carriedName(name, added, taken), type);
      }
    }
    const fields = new JsonFields();
    for await (const lines of jsonLines(rows)) {
      for (const line of lines) {
        fields.scan(line);
        for (const [field, name] of fields.names.entries()) {
          if (!this.#added.has(name)) types.add(name, fields.value(field));
        }
      }
    }
    return types.types();
  }
}

/** What was written since the last time. It is overwritten by what is written next. */
function takeBytes(writer: ByteWriter): Uint8Array {
  const bytes = writer.getBytes();
  writer.index = 0;
  return bytes;
}
