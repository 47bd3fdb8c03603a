import type { AnswerForm } from '#pipeline/answer-form.js';
import { hasLabel } from '#pipeline/answer-form.js';
import type { LabelColumns } from '#pipeline/columns.js';

import { shortestFloat } from './shortest-float.js';

/** How an output format writes labels. */
export interface LabelTexts {
  /** Of each class, `[classes]`. */
  readonly one: readonly string[];
  /** Several of these, or none. */
  readonly several: (labels: readonly string[]) => string;
}

/**
 * Makes the text of what labelling adds to one row, in the order of `addedNames`.
 *
 * @param before what stands before each value, `[added names]`
 */
export function answerValues(
  form: AnswerForm,
  labels: LabelTexts,
  before: readonly string[],
): (columns: LabelColumns, row: number) => string {
  switch (form.problem) {
    case 'single-label':
      return (columns, row) => labelValues(columns, row, labels.one, before);
    case 'multi-label':
      return (columns, row) => {
        const { classes, probabilities } = columns;
        const given = labels.one.filter((_, label) =>
          hasLabel(probabilities[row * classes + label]!, form.thresholds[label]!),
        );
        return (
          `${before[0]}${labels.several(given)}` +
          `${before[1]}${columns.exitLayer[row]}` +
          `${before[2]}${shortestFloat(columns.uncertainty[row] ?? NaN)}` +
          numbers(columns, row, before, 3)
        );
      };
    case 'regression':
      return (columns, row) => {
        const { classes } = columns;
        return `${numbers(columns, row, before.slice(0, classes), 0)}${before[classes]}${columns.exitLayer[row]}`;
      };
  }
}

function labelValues(
  columns: LabelColumns,
  row: number,
  labels: readonly string[],
  before: readonly string[],
): string {
  const label = columns.label[row] ?? 0;
  return (
    `${before[0]}${labels[label]}` +
    `${before[1]}${shortestFloat(columns.probabilities[row * columns.classes + label] ?? NaN)}` +
    `${before[2]}${columns.exitLayer[row]}` +
    `${before[3]}${shortestFloat(columns.uncertainty[row] ?? NaN)}` +
    numbers(columns, row, before, 4)
  );
}

/** The row's probabilities or numbers, each behind its `before`, from `first` on. */
function numbers(
  { classes, probabilities }: LabelColumns,
  row: number,
  before: readonly string[],
  first: number,
): string {
  let text = '';
  for (let index = first; index < before.length; index++) {
    text += before[index] + shortestFloat(probabilities[row * classes + index - first] ?? NaN);
  }
  return text;
}
