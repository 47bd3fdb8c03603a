import { bar } from './bar.js';
import type { LabelProgress } from './label-progress.js';
import { layersOf } from './label-progress.js';
import type { Paint } from './paint.js';
import { paceWords, percentText, rowsDoneText } from './progress-words.js';
import { countText, shareText } from './quantity.js';
import { padText, textWidth } from './text-width.js';

/** A bar wider than this says no more. */
const widestBar = 50;

/**
 * The live picture of a run: how far it is, and where its rows left the model.
 *
 * @param columns of the terminal; no line is wider
 */
export function labelViewLines(progress: LabelProgress, columns: number, paint: Paint): string[] {
  return [
    ...progressLines(progress, columns, paint),
    '',
    ...exitLines(progress, columns, paint),
    '',
    layersLine(progress, columns, paint),
  ];
}

function progressLines(progress: LabelProgress, columns: number, paint: Paint): string[] {
  const phase = padText(progress.phase, 'labelling'.length, 'left');
  const percent = percentText(progress.fraction).padStart('100 %'.length);
  const barColumns = Math.max(Math.min(columns - phase.length - percent.length - 2, widestBar), 0);
  const done = bar(progress.fraction ?? 0, barColumns);
  const rest = paint.style('dim', '░'.repeat(barColumns - textWidth(done)));
  return [
    `${paint.style('bold', phase)} ${paint.style('cyan', done)}${rest} ${percent}`.trimEnd(),
    joinFitting([rowsDoneText(progress), ...paceWords(progress)], columns),
  ];
}

/** One line an exit: a bar of its share of the labelled rows, from cool to warm with the layer. */
function exitLines({ exits, layers }: LabelProgress, columns: number, paint: Paint): string[] {
  const labelled = exits.reduce((sum, { rows }) => sum + rows, 0);
  const names = exits.map(({ layer }) => `exit ${layer}`);
  const counts = exits.map(({ rows }) => countText(rows));
  const nameColumns = Math.max(...names.map(textWidth));
  const countColumns = Math.max(...counts.map(textWidth));
  const shareColumns = '100.0 %'.length;
  const barColumns = Math.max(
    Math.min(columns - nameColumns - countColumns - shareColumns - 4, widestBar),
    0,
  );
  return exits.map(({ layer, rows }, index) => {
    const share = labelled === 0 ? 0 : rows / labelled;
    const name = padText(names[index]!, nameColumns, 'left');
    const shown = paint.heat(layer / layers, padText(bar(share, barColumns), barColumns, 'left'));
    const count = padText(counts[index]!, countColumns, 'right');
    const percent = padText(labelled === 0 ? '' : shareText(share), shareColumns, 'right');
    return `${name} ${shown} ${count}  ${percent}`.trimEnd();
  });
}

function layersLine(progress: LabelProgress, columns: number, paint: Paint): string {
  if (progress.exits.every(({ rows }) => rows === 0)) return '';
  const { mean, saved } = layersOf(progress);
  const words = [`${mean.toFixed(2)} of ${progress.layers} layers a row`, `${shareText(saved)} saved`];
  return paint.style('dim', joinFitting(words, columns));
}

/** Joins as many of the words, from the first, as a line has room for. */
function joinFitting(words: readonly string[], columns: number): string {
  const separator = ' · ';
  let line = '';
  for (const word of words) {
    const longer = line === '' ? word : line + separator + word;
    if (textWidth(longer) > columns) break;
    line = longer;
  }
  return line;
}
