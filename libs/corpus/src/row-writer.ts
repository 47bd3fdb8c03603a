import { CsvWriter } from './csv-writer.js';
import { JsonlWriter } from './jsonl-writer.js';
import type { RecordFields } from './row-columns.js';

export interface RowWriterOptions {
  readonly format: 'jsonl' | 'csv';
  /** What the corpus's records are: its `fields`. */
  readonly fields: RecordFields;
  /** Label of each class, `[classes]`. */
  readonly labels: readonly string[];
  /** Whether each class's probability is written. */
  readonly probabilities: boolean;
}

/** The writer of an output format. */
export function createRowWriter(options: RowWriterOptions): JsonlWriter | CsvWriter {
  const { format, fields, labels, probabilities } = options;
  return format === 'jsonl'
    ? new JsonlWriter(fields, labels, probabilities)
    : new CsvWriter(fields, labels, probabilities);
}
