import type { Paint } from './paint.js';
import { fitText, padText, textWidth } from './text-width.js';

export interface Column {
  readonly title: string;
  /** Left unless told. */
  readonly align?: 'left' | 'right' | undefined;
  /** May be cut where the table is too wide for the terminal, the widest such column first. */
  readonly shrinks?: boolean | undefined;
}

export interface TableLayout {
  readonly paint: Paint;
  /** Columns of the terminal. */
  readonly width: number;
}

/** Between two columns. */
const gap = '  ';
const narrowest = 6;

/**
 * Lines of a table: the titles, dimmed, then the rows. Columns are as wide as their widest cell.
 *
 * @param rows a cell for each column; cells may be coloured unless their column shrinks
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { paint, width }: TableLayout,
): string[] {
  const widths = columnWidths(columns, rows, width);
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align = 'left', shrinks }, index) => {
        const cell = cells[index] ?? '';
        return padText(shrinks ? fitText(cell, widths[index]!) : cell, widths[index]!, align);
      })
      .join(gap)
      .trimEnd();
  return [paint.style('dim', line(columns.map(({ title }) => title))), ...rows.map(line)];
}

function columnWidths(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  available: number,
): number[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(textWidth(title), ...rows.map((cells) => textWidth(cells[index] ?? ''))),
  );
  let excess = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) - available;
  const shrinking = [...columns.keys()].filter((index) => columns[index]!.shrinks);
  for (const index of shrinking.sort((a, b) => widths[b]! - widths[a]!)) {
    const cut = Math.min(Math.max(excess, 0), Math.max(widths[index]! - narrowest, 0));
    widths[index]! -= cut;
    excess -= cut;
  }
  return widths;
}
