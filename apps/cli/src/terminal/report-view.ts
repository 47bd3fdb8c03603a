import type { ExitReport, RunReport } from '#pipeline/report/run-report.js';
import { bar } from './bar.js';
import { countText, durationText, rateText, rowsText, scoreText, shareText } from './quantity.js';
import type { Column, TableLayout } from './table.js';
import { tableLines } from './table.js';

/** What the end report shows; a `RunReport` is one. */
export interface ShownReport extends Pick<
  RunReport,
  | 'rows'
  | 'accepted'
  | 'rejected'
  | 'rejectedByReason'
  | 'truncated'
  | 'labels'
  | 'meanLayers'
  | 'layersSaved'
  | 'quality'
  | 'labelSets'
  | 'lastSession'
> {
  readonly exits: readonly Pick<ExitReport, 'layer' | 'rows' | 'share'>[];
}

/** More labels than this go to `report.json` only, the rarest first. */
const mostLabels = 20;
const barColumns = 24;

/**
 * The report at the end of a run, as aligned tables.
 *
 * @param layers of the model, L
 */
export function reportLines(report: ShownReport, layers: number, layout: TableLayout): string[] {
  const blocks = [
    summaryLines(report, layers, layout),
    exitTable(report, layers, layout),
    labelTable(report, layout),
    rejectTable(report, layout),
  ];
  return blocks
    .filter((block) => block.length > 0)
    .flatMap((block, index) => (index > 0 ? ['', ...block] : block));
}

function summaryLines(report: ShownReport, layers: number, { paint }: TableLayout): string[] {
  const { accepted, rows, lastSession, quality, truncated } = report;
  const counted = accepted === rows ? rowsText(rows) : `${countText(accepted)} of ${rowsText(rows)}`;
  const resumed = rows - lastSession.rows;
  const lines = [
    `${paint.style('bold', `Labelled ${counted}`)} in ${durationText(lastSession.seconds * 1000)}, ${rateText(lastSession.rowsPerSecond)}`,
  ];
  if (resumed > 0) lines.push(`${rowsText(resumed)} were labelled before and resumed`);
  if (lastSession.rowsRepeated > 0) {
    lines.push(`${rowsText(lastSession.rowsRepeated)} were like others and took their answers`);
  }
  if (accepted > 0) {
    lines.push(
      `${report.meanLayers.toFixed(2)} of ${layers} layers a row: ${paint.style('green', `${shareText(report.layersSaved)} of layers saved`)}`,
    );
  }
  if (quality !== undefined && quality.rows > 0) {
    lines.push(
      `accuracy ${paint.style('bold', shareText(quality.accuracy))}, macro-F1 ${scoreText(quality.macroF1)} on ${rowsText(quality.rows)} with a label`,
    );
  }
  if (quality !== undefined && quality.unknownLabels > 0) {
    lines.push(
      paint.style('yellow', `${rowsText(quality.unknownLabels)} with a label that the model does not know`),
    );
  }
  const { labelSets } = report;
  if (labelSets !== undefined && labelSets.rows > 0) {
    lines.push(
      `all labels right for ${paint.style('bold', shareText(labelSets.subsetAccuracy))}, micro-F1 ${scoreText(labelSets.microF1)}, macro-F1 ${scoreText(labelSets.macroF1)} on ${rowsText(labelSets.rows)} with labels`,
    );
  }
  if (labelSets !== undefined && labelSets.unknownLabels > 0) {
    lines.push(
      paint.style('yellow', `${rowsText(labelSets.unknownLabels)} with a label that the model does not know`),
    );
  }
  if (truncated > 0) lines.push(`${rowsText(truncated)} cut to the model's maximum length`);
  return lines;
}

function exitTable(report: ShownReport, layers: number, layout: TableLayout): string[] {
  const columns: Column[] = [
    { title: 'exit', align: 'right' },
    { title: 'rows', align: 'right' },
    { title: 'share', align: 'right' },
    { title: 'so far', align: 'right' },
    { title: '' },
  ];
  let left = 0;
  const rows = report.exits.map(({ layer, rows, share }) => {
    left += rows;
    return [
      String(layer),
      countText(rows),
      shareText(share),
      shareText(left / report.accepted),
      layout.paint.heat(layer / layers, bar(share, barColumns)),
    ];
  });
  return rows.length === 0 ? [] : tableLines(columns, rows, layout);
}

function labelTable({ labels, accepted, ...report }: ShownReport, layout: TableLayout): string[] {
  // A regression's rows have none.
  if (labels.every(({ rows }) => rows === 0)) return [];
  const scored = report.quality ?? report.labelSets;
  const classes = new Map(scored?.classes.map((one) => [one.label, one]));
  const columns: Column[] = [
    { title: 'label', shrinks: true },
    { title: 'rows', align: 'right' },
    { title: 'share', align: 'right' },
    ...(scored === undefined
      ? []
      : (['given', 'precision', 'recall', 'F1'].map((title) => ({
          title,
          align: 'right',
        })) satisfies Column[])),
  ];
  const byRows = labels.length > mostLabels ? labels.toSorted((a, b) => b.rows - a.rows) : labels;
  const rows = byRows.slice(0, mostLabels).map(({ label, rows }) => {
    const scores = classes.get(label);
    return [
      label,
      countText(rows),
      shareText(rows / accepted),
      ...(scores === undefined
        ? []
        : [
            countText(scores.rows),
            scoreText(scores.precision),
            scoreText(scores.recall),
            scoreText(scores.f1),
          ]),
    ];
  });
  const hidden = labels.length - rows.length;
  const more = hidden > 0 ? [layout.paint.style('dim', `and ${hidden} rarer labels in report.json`)] : [];
  return [...tableLines(columns, rows, layout), ...more];
}

function rejectTable({ rejected, rejectedByReason }: ShownReport, layout: TableLayout): string[] {
  if (rejected === 0) return [];
  const rows = Object.entries(rejectedByReason)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => [layout.paint.style('yellow', reason), countText(count)]);
  return tableLines([{ title: 'rejected' }, { title: 'rows', align: 'right' }], rows, layout);
}
