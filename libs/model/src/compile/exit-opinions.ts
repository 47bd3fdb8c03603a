/** What one exit says of every row, no row having left before. */
export interface ExitOpinion {
  /** `[rows, classes]`. */
  readonly probabilities: Float32Array;
  /** `[rows]`. */
  readonly uncertainty: Float32Array;
}

export interface ExitOpinions {
  readonly rows: number;
  readonly classes: number;
  /** By layer of the exit, ascending. */
  readonly exits: ReadonlyMap<number, ExitOpinion>;
}

/** Room for opinions, to be filled batch by batch. @param layers of the exits, ascending */
export function emptyOpinions(layers: readonly number[], rows: number, classes: number): ExitOpinions {
  const exits = layers.map((layer): [number, ExitOpinion] => [
    layer,
    { probabilities: new Float32Array(rows * classes), uncertainty: new Float32Array(rows) },
  ]);
  return { rows, classes, exits: new Map(exits) };
}

/**
 * Enters what an exit said of a batch. @param members the batch's rows
 * @param found rows in the order of `members`
 */
export function enterOpinion(
  opinions: ExitOpinions,
  layer: number,
  members: readonly number[],
  found: ExitOpinion,
): void {
  const { classes } = opinions;
  const all = opinions.exits.get(layer)!;
  members.forEach((row, at) => {
    all.probabilities.set(found.probabilities.subarray(at * classes, (at + 1) * classes), row * classes);
    all.uncertainty[row] = found.uncertainty[at]!;
  });
}
