import type { CountedReport, LabelCount } from '#pipeline/report/run-report.js';

/** Labels that are told of; a model may have thousands. */
const LABELS_TOLD = 20;

/** What is counted of a run's committed rows, while it goes on as in its report: bounded, whatever the corpus. */
export interface RunCounts {
  readonly rows: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly rejectedByReason: Readonly<Record<string, number>>;
  readonly truncated: number;
  /** Exits where a row left, ascending. */
  readonly exits: readonly {
    readonly layer: number;
    readonly rows: number;
    /** Rows by uncertainty, in bins of 1/20. */
    readonly uncertainty: readonly number[];
  }[];
  /** The most frequent first, and no more than twenty. */
  readonly labels: readonly LabelCount[];
  /** Of the labels that are not in `labels`. */
  readonly otherLabels: number;
}

export function runCounts(report: CountedReport): RunCounts {
  const { rows, accepted, rejected, rejectedByReason, truncated, exits, labels } = report;
  const given = labels.filter((label) => label.rows > 0).toSorted((a, b) => b.rows - a.rows);
  return {
    rows,
    accepted,
    rejected,
    rejectedByReason,
    truncated,
    exits: exits.map(({ layer, rows: left, uncertainty }) => ({ layer, rows: left, uncertainty })),
    labels: given.slice(0, LABELS_TOLD),
    otherLabels: given.slice(LABELS_TOLD).reduce((total, label) => total + label.rows, 0),
  };
}
