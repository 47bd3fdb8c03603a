import type { RunProgress } from '#pipeline/label-run.js';
import { exitRows } from '#pipeline/report/run-report.js';
import type { Tally } from '#pipeline/report/tally.js';

export interface ExitCount {
  readonly layer: number;
  readonly rows: number;
}

/** What the progress display shows of a run. */
export interface LabelProgress {
  /** What goes on, such as `labelling`. */
  readonly phase: string;
  /** Of the phase's work, 0..1; undefined while nobody knows how much there is. */
  readonly fraction: number | undefined;
  /** Rows done: labelled or rejected, those of earlier sessions included. */
  readonly rows: number;
  /** Of these, the rows that earlier sessions did. */
  readonly rowsResumed: number;
  /** Of these, the rows that could not be labelled. */
  readonly rejected: number;
  /** Rows of the corpus; undefined while unknown. */
  readonly totalRows: number | undefined;
  /** `totalRows` is a guess from the bytes read. */
  readonly totalGuessed: boolean;
  /** Every exit of the model, ascending, and the rows that left there. */
  readonly exits: readonly ExitCount[];
  /** Layers of the model, L. */
  readonly layers: number;
  /** Since this session began to label. */
  readonly elapsedMs: number;
}

/** What bundle, corpus and clock add to the pipeline's progress. */
export interface ProgressContext {
  /** Layers of the model, L. */
  readonly layers: number;
  /** Layers of the bundle's exits, ascending. */
  readonly exitLayers: readonly number[];
  /** Rows that are labelled at most. */
  readonly limit?: number | undefined;
  /** Rows that left at each exit in this session, committed or not, by layer; the committed ones where it is absent. */
  readonly left?: ReadonlyMap<number, number> | undefined;
  /** Counts of earlier sessions. */
  readonly resumed?: Tally | undefined;
  /** Since this session began to label. */
  readonly elapsedMs: number;
}

export function labelProgressOf(progress: RunProgress, context: ProgressContext): LabelProgress {
  const { tally, phase } = progress;
  const exits = exitCounts(progress, context);
  const rejected = tally.rows - tally.accepted;
  const rows = exits.reduce((sum, exit) => sum + exit.rows, rejected);
  const reading = phase === 'verifying' || phase === 'labelling';
  const guess = reading ? guessedRows(progress) : tally.rows;
  const totalRows = guess && Math.min(guess, context.limit ?? Infinity);
  return {
    phase,
    fraction: reading && totalRows === undefined ? undefined : fractionOf(progress, rows, totalRows ?? rows),
    rows,
    rowsResumed: progress.rowsResumed,
    rejected,
    totalRows,
    totalGuessed: reading,
    exits,
    layers: context.layers,
    elapsedMs: context.elapsedMs,
  };
}

/** Rows per second of this session. */
export function rowsPerSecond({ rows, rowsResumed, elapsedMs }: LabelProgress): number {
  return elapsedMs > 0 ? ((rows - rowsResumed) / elapsedMs) * 1000 : 0;
}

/** Milliseconds until the last row at the rate so far; undefined where that is unknown. */
export function remainingMs(progress: LabelProgress): number | undefined {
  const rate = rowsPerSecond(progress);
  if (progress.totalRows === undefined || rate === 0) return undefined;
  return (Math.max(progress.totalRows - progress.rows, 0) / rate) * 1000;
}

/** Mean exit layer of the labelled rows, and the share of the model's layers that they did without, 0..1. */
export function layersOf({ exits, layers }: LabelProgress): { mean: number; saved: number } {
  const rows = exits.reduce((sum, exit) => sum + exit.rows, 0);
  if (rows === 0) return { mean: 0, saved: 0 };
  const mean = exits.reduce((sum, exit) => sum + exit.rows * exit.layer, 0) / rows;
  return { mean, saved: 1 - mean / layers };
}

/** Every exit's rows: what is committed, or more where this session has labelled rows that are not. */
function exitCounts({ tally }: RunProgress, { exitLayers, left, resumed }: ProgressContext): ExitCount[] {
  const committed = rowsByLayer(tally);
  const before = resumed === undefined ? undefined : rowsByLayer(resumed);
  return exitLayers.map((layer) => ({
    layer,
    rows: Math.max(committed.get(layer) ?? 0, (before?.get(layer) ?? 0) + (left?.get(layer) ?? 0)),
  }));
}

function rowsByLayer(tally: Tally): Map<number, number> {
  return new Map(tally.exits.map((exit) => [exit.layer, exitRows(exit)]));
}

function fractionOf(progress: RunProgress, rows: number, totalRows: number): number {
  switch (progress.phase) {
    case 'verifying':
      return share(progress.chunksCommitted, progress.chunksPlanned);
    case 'labelling':
      return share(rows, totalRows);
    case 'merging':
      return share(progress.chunksMerged, progress.chunksCommitted);
    case 'finished':
      return 1;
  }
}

function guessedRows({ rowsPlanned, bytesPlanned, totalBytes }: RunProgress): number | undefined {
  return totalBytes === undefined || bytesPlanned === 0
    ? undefined
    : Math.round((rowsPlanned * totalBytes) / bytesPlanned);
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(part / whole, 1);
}
