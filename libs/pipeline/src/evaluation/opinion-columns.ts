/** What one exit says of every row, no row having left before. */
export interface OpinionColumn {
  readonly layer: number;
  /** Index of the most probable class, the first on a tie, `[rows]`. */
  readonly label: Uint16Array;
  /** `[rows]`. */
  readonly uncertainty: Float32Array;
}

/** Every exit's opinion of the rows of a corpus: what every policy's result follows from. */
export interface OpinionColumns {
  readonly rows: number;
  /** Tokens of each row, `[rows]`. */
  readonly lengths: Int32Array;
  /** Index of the label that the corpus gives, or `NO_GOLD` or `UNKNOWN_GOLD`, `[rows]`. */
  readonly golds: Int32Array;
  /** Ascending by layer; the last is the teacher's. */
  readonly exits: readonly OpinionColumn[];
}

/** The corpus gives the row no label. */
export const NO_GOLD = -1;
/** The corpus gives the row a label that the bundle does not have. */
export const UNKNOWN_GOLD = -2;

/** @param golds labels as the corpus gives them, `[rows]`; undefined where it has no label field */
export function goldColumn(
  golds: readonly (string | undefined)[] | undefined,
  rows: number,
  names: readonly string[],
): Int32Array {
  if (golds === undefined) return new Int32Array(rows).fill(NO_GOLD);
  const indexOf = new Map(names.map((name, index) => [name, index]));
  return Int32Array.from(golds, (gold) =>
    gold === undefined ? NO_GOLD : (indexOf.get(gold) ?? UNKNOWN_GOLD),
  );
}

/** The opinions of several parts of a corpus, in their order. @param layers of the exits, ascending */
export function joinOpinions(parts: readonly OpinionColumns[], layers: readonly number[]): OpinionColumns {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const joined = {
    rows,
    lengths: new Int32Array(rows),
    golds: new Int32Array(rows),
    exits: layers.map((layer) => ({
      layer,
      label: new Uint16Array(rows),
      uncertainty: new Float32Array(rows),
    })),
  };
  let at = 0;
  for (const part of parts) {
    joined.lengths.set(part.lengths, at);
    joined.golds.set(part.golds, at);
    for (const [index, exit] of part.exits.entries()) {
      joined.exits[index]!.label.set(exit.label, at);
      joined.exits[index]!.uncertainty.set(exit.uncertainty, at);
    }
    at += part.rows;
  }
  return joined;
}
