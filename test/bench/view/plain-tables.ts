import { plainPaint } from '../../../apps/cli/src/terminal/paint.js';
import { tableLines } from '../../../apps/cli/src/terminal/table.js';
import type { ResultTable } from './table.js';

/** Tables as text. */
export function plainTables(tables: readonly ResultTable[], checks: readonly string[]): string {
  const lines = tables.flatMap(({ title, note, columns, rows }) => [
    title,
    note,
    ...tableLines(
      columns.map((column, index) => ({ title: column, align: index === 0 ? 'left' : 'right' })),
      rows,
      { paint: plainPaint, width: Infinity },
    ),
    '',
  ]);
  return [...lines, 'Checked', ...checksOf(checks), ''].join('\n');
}

/** In words; the first one holds of every sample. */
export function checksOf(checks: readonly string[]): string[] {
  return [
    'every sample: rows in = rows out; label and exit of every row as in the first round; rows and tokens of each stage as the exits say',
    ...checks,
  ];
}
