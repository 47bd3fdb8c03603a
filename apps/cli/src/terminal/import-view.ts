import { joinFitting, phaseLine } from './phase-line.js';
import type { Progress, ProgressView } from './progress-display.js';
import { percentText } from './progress-words.js';
import { bytesText, durationText } from './quantity.js';
import { fitText } from './text-width.js';

/** What the display shows of an import. */
export interface ImportProgress extends Progress {
  readonly phase: 'importing';
  /** Of all bytes, 0..1. */
  readonly fraction: number;
  readonly bytes: number;
  readonly totalBytes: number;
  readonly tensor: string;
  readonly elapsedMs: number;
}

/** How the progress of an import is shown. */
export const importView: ProgressView<ImportProgress> = {
  mainPhase: 'importing',
  picture: (progress, columns, paint) => [
    phaseLine(progress, progress.phase.length, columns, paint),
    joinFitting(words(progress), columns),
    paint.style('dim', fitText(progress.tensor, columns)),
  ],
  line: (progress) =>
    `${progress.phase}: ${[percentText(progress.fraction), ...words(progress)].join(', ')}, ${progress.tensor}`,
};

/** `180 MB of 440 MB`, `2 s left`. */
function words({ bytes, totalBytes, fraction, elapsedMs }: ImportProgress): string[] {
  const done = `${bytesText(bytes)} of ${bytesText(totalBytes)}`;
  if (fraction === 0 || fraction === 1) return [done];
  return [done, `${durationText((elapsedMs * (1 - fraction)) / fraction)} left`];
}
