import type { AnswerForm } from '#pipeline/answer-form.js';
import { oneLabel } from '#pipeline/answer-form.js';
import { TooManyColumnsError } from './corpus-errors.js';
import { MAX_COLUMNS } from './corpus-options.js';
import { CsvWriter } from './csv-writer.js';
import { JsonlWriter } from './jsonl-writer.js';
import { ParquetRowWriter } from './parquet/parquet-row-writer.js';
import type { RecordFields } from './row-columns.js';

export type OutputFormat = 'jsonl' | 'csv' | 'parquet';

export interface RowWriterOptions {
  readonly format: OutputFormat;
  /** What the corpus's records are: its `fields`. */
  readonly fields: RecordFields;
  /** Label of each class, `[classes]`. */
  readonly labels: readonly string[];
  /** One label for each row unless told. */
  readonly form?: AnswerForm | undefined;
  /** Whether each class's probability is written. */
  readonly probabilities: boolean;
  /** Of csv: whether cells that spreadsheets would take for formulas get an apostrophe before them; default false. */
  readonly spreadsheetSafe?: boolean | undefined;
  /** Of csv and parquet: fields of the corpus that it may carry. */
  readonly maxColumns?: number | undefined;
}

/** The writer of an output format. @throws TooManyColumnsError */
export function createRowWriter(options: RowWriterOptions): JsonlWriter | CsvWriter | ParquetRowWriter {
  const { format, fields, labels, probabilities, spreadsheetSafe = false } = options;
  const { maxColumns = MAX_COLUMNS, form = oneLabel } = options;
  if (format !== 'jsonl' && fields.names.length > maxColumns) {
    throw new TooManyColumnsError(format, fields.names.length, maxColumns);
  }
  switch (format) {
    case 'jsonl':
      return new JsonlWriter(fields, labels, probabilities, form);
    case 'csv':
      return new CsvWriter(fields, labels, probabilities, form, spreadsheetSafe);
    case 'parquet':
      return new ParquetRowWriter(fields, labels, probabilities, form, maxColumns);
  }
}
