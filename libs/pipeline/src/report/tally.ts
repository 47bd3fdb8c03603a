import type { AnswerForm } from '../answer-form.js';
import { hasLabel, oneLabel } from '../answer-form.js';
import type { LabelColumns } from '../columns.js';
import type { CorpusChunk } from '../ports.js';
import type { LabelSetTally } from './label-sets.js';
import { addLabelSets, tallyLabelSets } from './label-sets.js';

/** Bins of the uncertainty histogram: bin b counts uncertainties from b/20 up to (b + 1)/20. */
export const uncertaintyBins = 20;

/** The rows that left at one exit. */
export interface ExitTally {
  readonly layer: number;
  /** Rows by label, `[classes]`; a row counts for each of its labels, which may be several or none. */
  readonly labels: readonly number[];
  /** Rows by uncertainty, `[uncertaintyBins]`. */
  readonly uncertainty: readonly number[];
}

/** Predictions against the labels that the corpus gives. */
export interface GoldTally {
  /** `[gold][predicted]`. */
  readonly confusion: readonly (readonly number[])[];
  /** Rows whose given label is none of the bundle's; not in `confusion`. */
  readonly unknown: number;
}

/** Counts over rows. All are integers, so sums do not depend on the order in which chunks are committed. */
export interface Tally {
  readonly rows: number;
  readonly accepted: number;
  /** Rows by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  readonly truncated: number;
  readonly tokens: number;
  /** Ascending by layer; only exits where a row left. */
  readonly exits: readonly ExitTally[];
  /** Undefined where no row gave a label. */
  readonly golds?: GoldTally | undefined;
  /** The same of a model that gives a row any number of labels. */
  readonly labelSets?: LabelSetTally | undefined;
}

export const emptyTally: Tally = {
  rows: 0,
  accepted: 0,
  rejected: {},
  truncated: 0,
  tokens: 0,
  exits: [],
};

/**
 * Counts one labelled chunk.
 *
 * @param size tokens of the accepted rows, and how many of the rows were cut to the maximum length
 * @param names the bundle's labels, `[classes]`
 * @param form one label for each row unless told
 */
export function tallyChunk(
  chunk: CorpusChunk,
  size: { readonly tokens: number; readonly truncated: number },
  labels: LabelColumns,
  names: readonly string[],
  form: AnswerForm = oneLabel,
): Tally {
  return {
    rows: chunk.rows,
    accepted: labels.rows,
    rejected: countBy(chunk.rejects.map((reject) => reject.reason)),
    truncated: size.truncated,
    tokens: size.tokens,
    exits: tallyExits(labels, form),
    ...tallyQuality(chunk.golds, labels, names, form),
  };
}

export function addTallies(a: Tally, b: Tally): Tally {
  return {
    rows: a.rows + b.rows,
    accepted: a.accepted + b.accepted,
    rejected: addRecords(a.rejected, b.rejected),
    truncated: a.truncated + b.truncated,
    tokens: a.tokens + b.tokens,
    exits: addExits(a.exits, b.exits),
    golds: a.golds && b.golds ? addGolds(a.golds, b.golds) : (a.golds ?? b.golds),
    ...((a.labelSets ?? b.labelSets) && {
      labelSets:
        a.labelSets && b.labelSets ? addLabelSets(a.labelSets, b.labelSets) : (a.labelSets ?? b.labelSets),
    }),
  };
}

function tallyQuality(
  golds: CorpusChunk['golds'],
  labels: LabelColumns,
  names: readonly string[],
  form: AnswerForm,
): Pick<Tally, 'golds' | 'labelSets'> {
  switch (form.problem) {
    case 'single-label':
      return { golds: golds && tallyGolds(golds, labels, names) };
    case 'multi-label':
      return { labelSets: golds && tallyLabelSets(golds, labels, names, form.thresholds) };
    case 'regression':
      return {};
  }
}

function tallyExits(columns: LabelColumns, form: AnswerForm): ExitTally[] {
  const { classes } = columns;
  const exits = new Map<number, { labels: number[]; uncertainty: number[] }>();
  for (let row = 0; row < columns.rows; row += 1) {
    const layer = columns.exitLayer[row]!;
    let exit = exits.get(layer);
    if (exit === undefined) {
      exit = { labels: zeros(classes), uncertainty: zeros(uncertaintyBins) };
      exits.set(layer, exit);
    }
    const bin = Math.min(Math.floor(columns.uncertainty[row]! * uncertaintyBins), uncertaintyBins - 1);
    countLabels(columns, row, form, exit.labels);
    exit.uncertainty[bin]! += 1;
  }
  return [...exits].map(([layer, exit]) => ({ layer, ...exit })).sort((a, b) => a.layer - b.layer);
}

function countLabels(columns: LabelColumns, row: number, form: AnswerForm, counts: number[]): void {
  switch (form.problem) {
    case 'single-label':
      counts[columns.label[row]!]! += 1;
      break;
    case 'multi-label':
      for (const [label, threshold] of form.thresholds.entries()) {
        if (hasLabel(columns.probabilities[row * columns.classes + label]!, threshold)) counts[label]! += 1;
      }
      break;
    case 'regression':
  }
}

function tallyGolds(
  golds: readonly (string | undefined)[],
  columns: LabelColumns,
  names: readonly string[],
): GoldTally | undefined {
  const indexOf = new Map(names.map((name, index) => [name, index]));
  const confusion = names.map(() => zeros(names.length));
  let unknown = 0;
  let given = 0;
  for (const [row, gold] of golds.entries()) {
    if (gold === undefined) continue;
    given += 1;
    const index = indexOf.get(gold);
    if (index === undefined) unknown += 1;
    else confusion[index]![columns.label[row]!]! += 1;
  }
  return given > 0 ? { confusion, unknown } : undefined;
}

function addExits(a: readonly ExitTally[], b: readonly ExitTally[]): ExitTally[] {
  const exits = new Map(a.map((exit) => [exit.layer, exit]));
  for (const exit of b) {
    const before = exits.get(exit.layer);
    exits.set(
      exit.layer,
      before === undefined
        ? exit
        : {
            layer: exit.layer,
            labels: addArrays(before.labels, exit.labels),
            uncertainty: addArrays(before.uncertainty, exit.uncertainty),
          },
    );
  }
  return [...exits.values()].sort((x, y) => x.layer - y.layer);
}

function addGolds(a: GoldTally, b: GoldTally): GoldTally {
  return {
    confusion: a.confusion.map((row, gold) => addArrays(row, b.confusion[gold]!)),
    unknown: a.unknown + b.unknown,
  };
}

function addArrays(a: readonly number[], b: readonly number[]): number[] {
  return a.map((number, index) => number + b[index]!);
}

/** Keys in the order of their letters, whatever the order of the sums. */
function addRecords(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return Object.fromEntries(keys.map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)]));
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}
