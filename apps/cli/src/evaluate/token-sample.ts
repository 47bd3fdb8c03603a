import type { TokenColumns } from '#pipeline/columns.js';

interface TokenRow {
  readonly ids: Int32Array;
  readonly segments: Int32Array | undefined;
  readonly truncated: number;
}

/**
 * Rows at even distances in a corpus whose end is not known. Keeps every row, then every second, every fourth …: between
 * once and twice as many as are wanted, so that the columns can have exactly so many.
 */
export class TokenSample {
  readonly #most: number;
  readonly #kept: TokenRow[] = [];
  #step = 1;
  #seen = 0;

  /** @param most rows of the columns; fewer only where the corpus has fewer */
  constructor(most: number) {
    this.#most = most;
  }

  add(tokens: TokenColumns): void {
    for (let row = 0; row + 1 < tokens.offsets.length; row++, this.#seen++) {
      if (this.#seen % this.#step !== 0) continue;
      if (this.#kept.length === 2 * this.#most) this.#halve();
      if (this.#seen % this.#step === 0) this.#kept.push(rowOf(tokens, row));
    }
  }

  /** The rows so far at even distances, in their order. */
  columns(): TokenColumns {
    const count = Math.min(this.#most, this.#kept.length);
    const rows = Array.from(
      { length: count },
      (_, index) => this.#kept[Math.floor((index * this.#kept.length) / count)]!,
    );
    const offsets = new Int32Array(count + 1);
    for (const [row, { ids }] of rows.entries()) offsets[row + 1] = offsets[row]! + ids.length;
    const join = (parts: readonly Int32Array[]): Int32Array => {
      const joined = new Int32Array(offsets.at(-1)!);
      for (const [row, part] of parts.entries()) joined.set(part, offsets[row]);
      return joined;
    };
    const segments = rows.flatMap((row) => row.segments ?? []);
    return {
      ids: join(rows.map(({ ids }) => ids)),
      segments: segments.length > 0 ? join(segments) : undefined,
      offsets,
      truncated: Uint8Array.from(rows, ({ truncated }) => truncated),
    };
  }

  #halve(): void {
    this.#step *= 2;
    const kept = this.#kept.filter((_, index) => index % 2 === 0);
    this.#kept.splice(0, Infinity, ...kept);
  }
}

function rowOf({ ids, segments, offsets, truncated }: TokenColumns, row: number): TokenRow {
  const [start, end] = [offsets[row], offsets[row + 1]];
  return {
    ids: ids.slice(start, end),
    segments: segments?.slice(start, end),
    truncated: truncated[row]!,
  };
}
