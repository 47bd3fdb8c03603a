import type { ExitPolicy } from '../exit-policy.js';
import type { Quality } from '../report/quality.js';
import { share } from '../report/counts.js';
import { qualityOf } from '../report/quality.js';
import { leavingExits } from './leaving-exits.js';
import type { OpinionColumn, OpinionColumns } from './opinion-columns.js';
import { NO_GOLD, UNKNOWN_GOLD } from './opinion-columns.js';
import type { Proportion } from './proportion.js';
import { proportion } from './proportion.js';
import type { ModelShape, RowWork } from './row-work.js';
import { countedWork, paperWork } from './row-work.js';

/** Labels of some rows against those of the corpus and of the full depth. */
export interface RowQuality {
  /** Of the rows with a label that the bundle knows; undefined where there is none. */
  readonly accuracy: Proportion | undefined;
  /** Rows with the label that the last exit gives them. */
  readonly agreement: Proportion;
}

export interface ExitFigures extends RowQuality {
  readonly layer: number;
}

export interface LeavingFigures extends ExitFigures {
  readonly rows: number;
  /** Of all rows, 0..1. */
  readonly share: number;
}

/** Floating-point operations over all rows. */
export interface WorkFigures {
  readonly executed: number;
  /** Of the model without early exits. */
  readonly full: number;
  /** 1 − executed ÷ full; a little below 0 where every row runs through everything, by what the early exits cost. */
  readonly saved: number;
}

export interface PolicyFigures extends RowQuality {
  readonly quality: Quality | undefined;
  /** Mean layer of the exits where rows leave. */
  readonly meanLayers: number;
  /** See `countedWork`. */
  readonly work: WorkFigures;
  /** See `paperWork`. */
  readonly paperWork: WorkFigures;
  /** The rows that leave at each exit, ascending by layer; every exit of the model. */
  readonly exits: readonly LeavingFigures[];
}

/** Each exit by itself: as if every row left there. */
export function exitFigures(opinions: OpinionColumns): ExitFigures[] {
  return opinions.exits.map((exit) => ({
    layer: exit.layer,
    ...rowQuality(opinions, exit.label, () => true),
  }));
}

/**
 * What a policy would give, without running it.
 * @param names the bundle's labels
 * @throws PolicyError when the policy lacks an exit
 */
export function policyFigures(
  opinions: OpinionColumns,
  policy: ExitPolicy,
  shape: ModelShape,
  names: readonly string[],
): PolicyFigures {
  const leaving = leavingExits(opinions, policy);
  const labels = new Uint16Array(opinions.rows);
  for (const [row, exit] of leaving.entries()) labels[row] = opinions.exits[exit]!.label[row]!;
  const exits = opinions.exits.map(({ layer }, index) => {
    const leavers = rowQuality(opinions, labels, (row) => leaving[row] === index);
    const rows = leavers.agreement.whole;
    return { layer, rows, share: share(rows, opinions.rows), ...leavers };
  });
  return {
    ...rowQuality(opinions, labels, () => true),
    quality: qualityOfLabels(opinions, labels, names),
    meanLayers: share(
      exits.reduce((sum, { layer, rows }) => sum + layer * rows, 0),
      opinions.rows,
    ),
    work: workFigures(opinions, leaving, countedWork(shape)),
    paperWork: workFigures(opinions, leaving, paperWork(shape)),
    exits,
  };
}

function rowQuality(
  { rows, golds, exits }: OpinionColumns,
  labels: Uint16Array,
  counts: (row: number) => boolean,
): RowQuality {
  const full: OpinionColumn = exits.at(-1)!;
  let [counted, agreed, known, right] = [0, 0, 0, 0];
  for (let row = 0; row < rows; row++) {
    if (!counts(row)) continue;
    counted += 1;
    if (labels[row] === full.label[row]) agreed += 1;
    if (golds[row]! < 0) continue;
    known += 1;
    if (labels[row] === golds[row]) right += 1;
  }
  return {
    accuracy: known > 0 ? proportion(right, known) : undefined,
    agreement: proportion(agreed, counted),
  };
}

function qualityOfLabels(
  { golds }: OpinionColumns,
  labels: Uint16Array,
  names: readonly string[],
): Quality | undefined {
  if (golds.every((gold) => gold === NO_GOLD)) return undefined;
  const confusion = names.map(() => names.map(() => 0));
  let unknown = 0;
  for (const [row, gold] of golds.entries()) {
    if (gold === UNKNOWN_GOLD) unknown += 1;
    else if (gold !== NO_GOLD) confusion[gold]![labels[row]!]! += 1;
  }
  return qualityOf({ confusion, unknown }, names);
}

function workFigures({ lengths }: OpinionColumns, leaving: Uint8Array, work: RowWork): WorkFigures {
  let [executed, full] = [0, 0];
  for (const [row, exit] of leaving.entries()) {
    executed += work.upTo(exit, lengths[row]!);
    full += work.full(lengths[row]!);
  }
  return { executed, full, saved: full === 0 ? 0 : 1 - executed / full };
}
