import type { LabelColumns } from '#pipeline/columns.js';

import { shortestFloat } from './shortest-float.js';

/**
 * What labelling adds to one row, as text, in the order of `addedNames`: label, confidence, exit layer, uncertainty
 * and, where asked for, the probability of each class.
 *
 * @param labels the text of each class's label `[classes]`
 * @param before what stands before each value, `[4]` or `[4 + classes]`
 */
export function labelValues(
  columns: LabelColumns,
  row: number,
  labels: readonly string[],
  before: readonly string[],
): string {
  const first = row * columns.classes;
  const label = columns.label[row] ?? 0;
  let text =
    `${before[0]}${labels[label]}` +
    `${before[1]}${shortestFloat(columns.probabilities[first + label] ?? NaN)}` +
    `${before[2]}${columns.exitLayer[row]}` +
    `${before[3]}${shortestFloat(columns.uncertainty[row] ?? NaN)}`;
  for (let index = 4; index < before.length; index++) {
    text += before[index] + shortestFloat(columns.probabilities[first + index - 4] ?? NaN);
  }
  return text;
}
