import type { ComponentChildren } from 'preact';

export interface Column {
  readonly name: string;
  /** Of numbers, which stand at the right. */
  readonly isNumber?: boolean;
}

export interface Row {
  readonly key: string | number;
  /** In the order of the columns; the first names the row. */
  readonly cells: readonly ComponentChildren[];
  readonly isChosen?: boolean;
}

/**
 * A table that becomes a list of cards on a narrow screen. The roles are said again, because a browser forgets them where a
 * table is laid out as something else.
 */
export function Table({
  caption,
  columns,
  rows,
  isQuiet = false,
  isNarrow = false,
}: {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Its caption is for screen readers alone, since a heading says the same. */
  readonly isQuiet?: boolean;
  /** It stays a table on a phone: its columns are few and short. */
  readonly isNarrow?: boolean;
}) {
  return (
    <table role="table" class={isNarrow ? 'table' : 'table wide'}>
      <caption class={isQuiet ? 'unseen' : ''}>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ name, isNumber }) => (
            <th key={name} role="columnheader" scope="col" class={isNumber === true ? 'number' : ''}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map(({ key, cells, isChosen }) => (
          <tr key={key} role="row" class={isChosen === true ? 'chosen' : ''}>
            {cells.map((cell, index) => {
              const { name = '', isNumber } = columns[index] ?? {};
              const className = isNumber === true ? 'number' : '';
              return index === 0 ? (
                <th key={name} role="rowheader" scope="row" class={className} data-name={name}>
                  {cell}
                </th>
              ) : (
                <td key={name} role="cell" class={className} data-name={name}>
                  {cell}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
