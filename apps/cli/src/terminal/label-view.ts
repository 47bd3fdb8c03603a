import { bar } from './bar.js';
import type { LabelProgress } from '#run/label-progress.js';
import { layersOf } from '#run/label-progress.js';
import type { Paint } from './paint.js';
import { joinFitting, phaseLine, widestBar } from './phase-line.js';
import type { ProgressView } from './progress-display.js';
import { paceWords, percentText, rowsDoneText } from './progress-words.js';
import { countText, shareText } from './quantity.js';
import { padText, textWidth } from './text-width.js';

/** How the progress of a labelling run is shown. */
export const labelView: ProgressView<LabelProgress> = {
  mainPhase: 'labelling',
  picture: labelViewLines,
  line: progressLine,
};

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

/** `labelling: 41 %, 2,424 of ~5,908 rows, 1,204 rows/s, 2.9 s left`. */
function progressLine(progress: LabelProgress): string {
  const words = [percentText(progress.fraction), rowsDoneText(progress), ...paceWords(progress)];
  return `${progress.phase}: ${words.filter(Boolean).join(', ')}`;
}

function progressLines(progress: LabelProgress, columns: number, paint: Paint): string[] {
  return [
    phaseLine(progress, 'labelling'.length, columns, paint),
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
