import type { LabelColumns } from './columns.js';

/** Columns without answers yet. */
export function emptyLabels(rows: number, classes: number): LabelColumns {
  return {
    rows,
    classes,
    label: new Uint16Array(rows),
    exitLayer: new Uint8Array(rows),
    uncertainty: new Float32Array(rows),
    probabilities: new Float32Array(rows * classes),
  };
}

/** Gives row `to` of `target` the answer of row `from` of `source`; both of the same classes. */
export function copyLabel(source: LabelColumns, from: number, target: LabelColumns, to: number): void {
  const { classes } = source;
  target.label[to] = source.label[from]!;
  target.exitLayer[to] = source.exitLayer[from]!;
  target.uncertainty[to] = source.uncertainty[from]!;
  for (let index = 0; index < classes; index++) {
    target.probabilities[to * classes + index] = source.probabilities[from * classes + index]!;
  }
}
