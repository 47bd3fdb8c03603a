import { plainPaint } from '../../../apps/cli/src/terminal/paint.js';
import { tableLines } from '../../../apps/cli/src/terminal/table.js';
import type { ResultTable } from './table.js';

/** Tables as text. */
export function plainTables(tables: readonly ResultTable[], checks: readonly string[]): string {
  return [...tables.flatMap(plainTable), 'Checked', ...checksOf(checks), ''].join('\n');
}

/** Lines of a table, and an empty one behind it. */
export function plainTable({ title, note, columns, rows }: ResultTable): string[] {
  const lines = tableLines(
    columns.map((column, index) => ({ title: column, align: index === 0 ? 'left' : 'right' })),
    rows,
    { paint: plainPaint, width: Infinity },
  );
  return [title, note, ...lines, ''];
}

/** In words; the first one holds of every sample. */
export function checksOf(checks: readonly string[]): string[] {
  return [
    'every sample: rows in = rows out; label and exit of every row as in the first round; rows and tokens of each stage as the exits say',
    ...checks,
  ];
}
