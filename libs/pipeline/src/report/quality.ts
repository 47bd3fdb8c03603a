import type { GoldTally } from './tally.js';
import { share, sum } from './counts.js';

export interface ClassQuality {
  readonly label: string;
  /** Rows that the corpus gives this label. */
  readonly rows: number;
  /** Right ÷ predicted; 0 where the label was never predicted. */
  readonly precision: number;
  /** Right ÷ given; 0 where the label was never given. */
  readonly recall: number;
  /** Harmonic mean of the two; 0 where both are. */
  readonly f1: number;
}

export interface Quality {
  /** Rows with a label that the bundle knows. */
  readonly rows: number;
  /** Rows with a label that the bundle does not know; left out of all figures here. */
  readonly unknownLabels: number;
  readonly accuracy: number;
  /** Mean f1 of the labels that the corpus or the predictions use. */
  readonly macroF1: number;
  readonly classes: readonly ClassQuality[];
  /** Rows, `[given label][predicted label]`. */
  readonly confusion: readonly (readonly number[])[];
}

/** Labels against predictions. `names` are the labels in the order of the confusion counts. */
export function qualityOf({ confusion, unknown }: GoldTally, names: readonly string[]): Quality {
  const right = names.map((_, index) => confusion[index]![index]!);
  const given = confusion.map((row) => sum(row));
  const predicted = names.map((_, index) => sum(confusion.map((row) => row[index]!)));
  const rows = sum(given);
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
    accuracy: share(sum(right), rows),
    macroF1: share(sum(used.map((one) => one.f1)), used.length),
    classes,
    confusion,
  };
}
