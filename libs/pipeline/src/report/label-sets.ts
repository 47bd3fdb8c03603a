import type { LabelColumns } from '../columns.js';
import { hasLabel } from '../answer-form.js';
import { share, sum } from './counts.js';

/** Counts of a corpus whose rows may have any number of labels. All are integers. */
export interface LabelSetTally {
  /** Rows with labels of which the bundle knows all. */
  readonly rows: number;
  /** Rows that the corpus gives a label of which the bundle knows nothing; in no other count. */
  readonly unknown: number;
  /** Of `rows`, those that were given exactly these labels. */
  readonly equal: number;
  /** Rows that the corpus gives each label, `[labels]`. */
  readonly given: readonly number[];
  /** Rows that the model gives it. */
  readonly predicted: readonly number[];
  /** Rows that both give it. */
  readonly right: readonly number[];
}

export interface LabelSetQuality {
  readonly rows: number;
  readonly unknownLabels: number;
  /** Share of the rows whose labels are all right and complete. */
  readonly subsetAccuracy: number;
  /** F1 over all pairs of a row and a label. */
  readonly microF1: number;
  /** Mean f1 of the labels that the corpus or the predictions use. */
  readonly macroF1: number;
  readonly classes: readonly {
    readonly label: string;
    readonly rows: number;
    readonly precision: number;
    readonly recall: number;
    readonly f1: number;
  }[];
}

/**
 * The labels that a corpus gives a row: a JSON list of texts, or texts between `|`. Without a word: none.
 */
export function goldLabels(gold: string): string[] {
  if (gold.trimStart().startsWith('[')) {
    const list = parsedOrUndefined(gold);
    if (Array.isArray(list)) return list.map(String);
  }
  return gold
    .split('|')
    .map((label) => label.trim())
    .filter((label) => label !== '');
}

function parsedOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** @param thresholds `[labels]` @returns `undefined` where no row gives labels */
export function tallyLabelSets(
  golds: readonly (string | undefined)[],
  { classes, probabilities }: LabelColumns,
  names: readonly string[],
  thresholds: readonly number[],
): LabelSetTally | undefined {
  const indexOf = new Map(names.map((name, index) => [name, index]));
  const zeros = (): number[] => names.map(() => 0);
  const tally = { rows: 0, unknown: 0, equal: 0, given: zeros(), predicted: zeros(), right: zeros() };
  for (const [row, gold] of golds.entries()) {
    if (gold === undefined) continue;
    const indices = goldLabels(gold).map((label) => indexOf.get(label));
    if (indices.includes(undefined)) {
      tally.unknown += 1;
      continue;
    }
    const given = new Set(indices);
    tally.rows += 1;
    let equal = true;
    for (const [label, threshold] of thresholds.entries()) {
      const predicted = hasLabel(probabilities[row * classes + label]!, threshold);
      if (given.has(label)) tally.given[label]! += 1;
      if (predicted) tally.predicted[label]! += 1;
      if (predicted && given.has(label)) tally.right[label]! += 1;
      equal &&= predicted === given.has(label);
    }
    if (equal) tally.equal += 1;
  }
  return tally.rows + tally.unknown > 0 ? tally : undefined;
}

export function addLabelSets(a: LabelSetTally, b: LabelSetTally): LabelSetTally {
  return {
    rows: a.rows + b.rows,
    unknown: a.unknown + b.unknown,
    equal: a.equal + b.equal,
    given: added(a.given, b.given),
    predicted: added(a.predicted, b.predicted),
    right: added(a.right, b.right),
  };
}

function added(a: readonly number[], b: readonly number[]): number[] {
  return a.map((count, index) => count + b[index]!);
}

export function labelSetQuality(tally: LabelSetTally, names: readonly string[]): LabelSetQuality {
  const { rows, unknown, equal, given, predicted, right } = tally;
  const classes = names.map((label, index) => ({
    label,
    rows: given[index]!,
    precision: share(right[index]!, predicted[index]!),
    recall: share(right[index]!, given[index]!),
    f1: share(2 * right[index]!, given[index]! + predicted[index]!),
  }));
  const used = classes.filter((_, index) => given[index]! + predicted[index]! > 0);
  return {
    rows,
    unknownLabels: unknown,
    subsetAccuracy: share(equal, rows),
    microF1: share(2 * sum(right), sum(given) + sum(predicted)),
    macroF1: share(sum(used.map(({ f1 }) => f1)), used.length),
    classes,
  };
}
