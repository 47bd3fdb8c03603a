import { hasShape } from '../run-directory/stored-shape.js';
import type { Quality } from './quality.js';
import { qualityOf } from './quality.js';
import type { ExitTally, Tally } from './tally.js';
import { share, sum } from './counts.js';
import type { LabelSetQuality } from './label-sets.js';
import { labelSetQuality } from './label-sets.js';

export interface LabelCount {
  readonly label: string;
  readonly rows: number;
}

export interface ExitReport {
  readonly layer: number;
  readonly rows: number;
  /** Of the accepted rows, 0..1. */
  readonly share: number;
  readonly labels: readonly LabelCount[];
  /** Rows by uncertainty, in bins of 1/20. */
  readonly uncertainty: readonly number[];
}

/** What the process that finished the run measured; after a resume it has labelled only a part of the rows. */
export interface SessionReport {
  /** Rows that were labelled or rejected in the session, not resumed. */
  readonly rows: number;
  /** Rows of these that took the answer of another with the same tokens; how many depends on what was remembered. */
  readonly rowsRepeated: number;
  /** Wall time from the start of labelling until the last commit. */
  readonly seconds: number;
  readonly rowsPerSecond: number;
}

/** `report.json`. All but `lastSession` is the same however often the run was resumed. */
export interface RunReport {
  readonly run: string;
  readonly bundle: string;
  readonly fingerprints: readonly string[];
  /** SHA-256 over the hashes of the corpus's chunks. */
  readonly corpusHash: string;
  readonly rows: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly rejectedByReason: Readonly<Record<string, number>>;
  readonly truncated: number;
  readonly tokens: number;
  readonly labels: readonly LabelCount[];
  readonly exits: readonly ExitReport[];
  /** Mean exit layer of the accepted rows. */
  readonly meanLayers: number;
  /** 1 − meanLayers ÷ layers of the model, 0..1. */
  readonly layersSaved: number;
  /** Where the corpus gives labels. */
  readonly quality?: Quality | undefined;
  /** The same of a model that gives a row any number of labels. */
  readonly labelSets?: LabelSetQuality | undefined;
  readonly lastSession: SessionReport;
}

export function isRunReport(value: unknown): value is RunReport {
  return hasShape(value, { run: 'string', rows: 'number', exits: 'object', lastSession: 'object' });
}

/** The report's figures that follow from counts alone. */
export type CountedReport = Omit<RunReport, 'run' | 'bundle' | 'fingerprints' | 'corpusHash' | 'lastSession'>;

/**
 * @param names the bundle's labels
 * @param layers of the model, L
 */
export function countedReport(tally: Tally, names: readonly string[], layers: number): CountedReport {
  const meanLayers = meanLayersOf(tally);
  return {
    rows: tally.rows,
    accepted: tally.accepted,
    rejected: tally.rows - tally.accepted,
    rejectedByReason: tally.rejected,
    truncated: tally.truncated,
    tokens: tally.tokens,
    labels: names.map((label, index) => ({
      label,
      rows: sum(tally.exits.map((exit) => exit.labels[index]!)),
    })),
    exits: tally.exits.map((exit) => ({
      layer: exit.layer,
      rows: exitRows(exit),
      share: share(exitRows(exit), tally.accepted),
      labels: names.map((label, index) => ({ label, rows: exit.labels[index]! })),
      uncertainty: exit.uncertainty,
    })),
    meanLayers,
    layersSaved: tally.accepted === 0 ? 0 : 1 - share(meanLayers, layers),
    quality: tally.golds && qualityOf(tally.golds, names),
    ...(tally.labelSets && { labelSets: labelSetQuality(tally.labelSets, names) }),
  };
}

/** Rows that left at an exit. */
export function exitRows(exit: ExitTally): number {
  return sum(exit.uncertainty);
}

/** Mean exit layer of the accepted rows, 0 without rows. */
export function meanLayersOf(tally: Tally): number {
  return share(sum(tally.exits.map((exit) => exit.layer * exitRows(exit))), tally.accepted);
}
