import type { Proportion } from '#pipeline/evaluation/proportion.js';
import type { Quality } from '#pipeline/report/quality.js';
import { bar } from '../terminal/bar.js';
import { countText, rowsText, scoreText, shareText } from '../terminal/quantity.js';
import type { Column, TableLayout } from '../terminal/table.js';
import { tableLines } from '../terminal/table.js';
import type { EvaluatedPolicy, Evaluation } from './evaluation.js';

/** More labels than this go to the JSON only. */
const mostLabels = 12;
const barColumns = 24;
const right = (title: string): Column => ({ title, align: 'right' });

/** An evaluation as tables: of all policies, of each exit, and of one policy in detail. */
export function evaluationLines(
  evaluation: Evaluation,
  detail: EvaluatedPolicy,
  layout: TableLayout,
): string[] {
  const blocks = [summaryLines(evaluation, layout)];
  if (evaluation.rows > evaluation.rejected) {
    blocks.push(
      qualityTable(evaluation, layout),
      workTable(evaluation, layout),
      exitTable(evaluation, layout),
      shareTable(evaluation, layout),
      [layout.paint.style('bold', `With policy ${detail.name}`)],
      leavingTable(detail, evaluation.layers, layout),
      ...(detail.quality === undefined ? [] : classTables(detail.quality, layout)),
    );
  }
  return blocks.flatMap((block, index) => (index > 0 ? ['', ...block] : block));
}

function summaryLines(evaluation: Evaluation, { paint }: TableLayout): string[] {
  const { rows, rejected, rejectedByReason, truncated, policies, timing } = evaluation;
  const quality = policies[0]?.quality;
  const lines = [paint.style('bold', `Evaluated ${rowsText(rows - rejected)} with ${evaluation.model}`)];
  if (rejected > 0) {
    const reasons = Object.entries(rejectedByReason).map(
      ([reason, count]) => `${reason} ${countText(count)}`,
    );
    lines.push(paint.style('yellow', `${rowsText(rejected)} rejected: ${reasons.join(', ')}`));
  }
  if (quality === undefined)
    lines.push('no labels given, so no accuracy: name their field with --label-field');
  else lines.push(`${rowsText(quality.rows)} with a label`);
  if (quality !== undefined && quality.unknownLabels > 0) {
    lines.push(
      paint.style('yellow', `${rowsText(quality.unknownLabels)} with a label that the model does not know`),
    );
  }
  if (truncated > 0) lines.push(`${rowsText(truncated)} cut to the model's maximum length`);
  lines.push(paint.style('dim', 'in brackets: 95 % intervals'));
  if (timing !== undefined) {
    lines.push(
      paint.style(
        'dim',
        `texts/s: stage engine alone, ${countText(timing.texts)} of the texts, ${timing.workers} ${timing.workers === 1 ? 'thread' : 'threads'}, median of ${timing.rounds} (least–most)`,
      ),
    );
  }
  return lines;
}

function qualityTable({ policies }: Evaluation, layout: TableLayout): string[] {
  const positive = policies[0]?.positive;
  const labelled = policies[0]?.quality !== undefined;
  const columns = [
    { title: 'policy', shrinks: true },
    ...(labelled ? [right('accuracy'), right('macro-F1')] : []),
    ...(positive === undefined
      ? []
      : [right(`precision ${positive.label}`), right(`recall ${positive.label}`)]),
    right('as at full depth'),
  ];
  const rows = policies.map(({ name, accuracy, quality, positive, agreement }) => [
    name,
    ...(labelled ? [intervalText(accuracy), scoreText(quality?.macroF1 ?? 0)] : []),
    ...(positive === undefined
      ? []
      : [shareText(positive.precision.share), shareText(positive.recall.share)]),
    intervalText(agreement),
  ]);
  return tableLines(columns, rows, layout);
}

function workTable({ policies, timing }: Evaluation, layout: TableLayout): string[] {
  const columns = [
    { title: 'policy', shrinks: true },
    right('layers a text'),
    right('FLOPs saved'),
    right("by the paper's count"),
    ...(timing === undefined ? [] : [right('texts/s')]),
  ];
  const rows = policies.map(({ name, meanLayers, work, paperWork, textsPerSecond: rate }) => [
    name,
    meanLayers.toFixed(2),
    shareText(work.saved),
    shareText(paperWork.saved),
    ...(rate === undefined
      ? []
      : [`${rateText(rate.median)} (${rateText(rate.least)}–${rateText(rate.most)})`]),
  ]);
  return tableLines(columns, rows, layout);
}

/** Each exit by itself: as if every row left there. */
function exitTable({ exits }: Evaluation, layout: TableLayout): string[] {
  const labelled = exits.some(({ accuracy }) => accuracy !== undefined);
  const columns = [right('exit alone'), ...(labelled ? [right('accuracy')] : []), right('as at full depth')];
  const rows = exits.map(({ layer, accuracy, agreement }) => [
    String(layer),
    ...(labelled ? [intervalText(accuracy)] : []),
    intervalText(agreement),
  ]);
  return tableLines(columns, rows, layout);
}

/** The share of the rows that leave at each exit, by policy. */
function shareTable({ exits, policies }: Evaluation, layout: TableLayout): string[] {
  const columns = [right('leave at exit'), ...policies.map(({ name }) => right(name))];
  const rows = exits.map(({ layer }, index) => [
    String(layer),
    ...policies.map((policy) => {
      const { rows, share } = policy.exits[index]!;
      return rows === 0 ? '·' : shareText(share);
    }),
  ]);
  return tableLines(columns, rows, layout);
}

function leavingTable({ exits }: EvaluatedPolicy, layers: number, layout: TableLayout): string[] {
  const labelled = exits.some(({ accuracy }) => accuracy !== undefined);
  const columns = [
    right('exit'),
    right('rows'),
    right('share'),
    ...(labelled ? [right('accuracy of them')] : []),
    right('as at full depth'),
    { title: '' },
  ];
  const rows = exits.map(({ layer, rows, share, accuracy, agreement }) => [
    String(layer),
    countText(rows),
    shareText(share),
    ...(labelled ? [intervalText(accuracy)] : []),
    rows === 0 ? '' : intervalText(agreement),
    layout.paint.heat(layer / layers, bar(share, barColumns)),
  ]);
  return tableLines(columns, rows, layout);
}

function classTables({ classes, confusion }: Quality, layout: TableLayout): string[][] {
  if (classes.length > mostLabels) {
    return [
      [layout.paint.style('dim', `figures of ${classes.length} labels and their confusion: --json or --out`)],
    ];
  }
  const scores = tableLines(
    [{ title: 'label', shrinks: true }, ...['given', 'precision', 'recall', 'F1'].map(right)],
    classes.map(({ label, rows, precision, recall, f1 }) => [
      label,
      countText(rows),
      scoreText(precision),
      scoreText(recall),
      scoreText(f1),
    ]),
    layout,
  );
  const matrix = tableLines(
    [{ title: 'given ↓  labelled →', shrinks: true }, ...classes.map(({ label }) => right(label))],
    classes.map(({ label }, given) => [label, ...confusion[given]!.map(countText)]),
    layout,
  );
  return [scores, matrix];
}

/** `98.1 (97.2–98.8) %`; empty where nothing was counted. */
function intervalText(value: Proportion | undefined): string {
  if (value === undefined || value.whole === 0) return '';
  const [share, low, high] = [value.share, value.low, value.high].map((one) =>
    shareText(one).replace(' %', ''),
  );
  return `${share} (${low}–${high}) %`;
}

function rateText(textsPerSecond: number): string {
  return textsPerSecond < 10 ? textsPerSecond.toFixed(1) : countText(textsPerSecond);
}
