import type { ResultTable } from './table.js';

/** Lines of a table under a heading, and an empty one behind it. */
export function markdownTable({ title, note, columns, rows }: ResultTable): string[] {
  const rule = columns.map((_, index) => (index === 0 ? '---' : '---:'));
  return [`## ${title}`, '', note, '', rowLine(columns), rowLine(rule), ...rows.map(rowLine), ''];
}

function rowLine(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
