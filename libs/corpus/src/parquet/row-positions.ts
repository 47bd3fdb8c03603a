/** A place between the rows of a file. */
export interface RowPlace {
  /** The row group of the row behind it; as many as there are behind the last row. */
  readonly rowGroup: number;
  /** Of the row group, from 0. */
  readonly row: number;
}

/**
 * Rows of a Parquet file have no bytes of their own. A row's position is its share of its row group's bytes: row r of n
 * rows in b bytes stands at ⌊r · b ÷ n⌋ behind the row groups before it. A row group has a position for each of its
 * rows at least, so that every row can be found from its position.
 */
export class RowPositions {
  readonly #groups: readonly { readonly rows: number; readonly start: number; readonly span: number }[];
  /** Behind the last row. */
  readonly end: number;

  constructor(rowGroups: readonly { readonly rows: number; readonly bytes: number }[]) {
    let end = 0;
    this.#groups = rowGroups.map(({ rows, bytes }) => {
      const start = end;
      const span = rows === 0 ? 0 : Math.max(rows, bytes);
      end += span;
      return { rows, start, span };
    });
    this.end = end;
  }

  /** @param row may be as many as the row group has: then it is the start of the next */
  of({ rowGroup, row }: RowPlace): number {
    const group = this.#groups[rowGroup]!;
    // The product can be beyond 2^53.
    return group.start + Number((BigInt(row) * BigInt(group.span)) / BigInt(Math.max(1, group.rows)));
  }

  /** Undefined where no row stands, nor the last one ends. */
  find(position: number): RowPlace | undefined {
    if (position === this.end) return { rowGroup: this.#groups.length, row: 0 };
    if (!(position >= 0 && position < this.end)) return undefined;
    const rowGroup = this.#groupAt(position);
    const group = this.#groups[rowGroup]!;
    const [offset, rows, span] = [BigInt(position - group.start), BigInt(group.rows), BigInt(group.span)];
    const place = { rowGroup, row: Number((offset * rows + span - 1n) / span) };
    return this.of(place) === position ? place : undefined;
  }

  /** The last row group that starts there or before: those without rows start where the next does. */
  #groupAt(position: number): number {
    let [low, high] = [0, this.#groups.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#groups[middle]!.start <= position) low = middle;
      else high = middle;
    }
    return low;
  }
}
