import { shownName } from '#hub/file-name.js';
import type { PullProgress } from '#hub/pull-model.js';
import { joinFitting, phaseLine } from './phase-line.js';
import type { ProgressView } from './progress-display.js';
import { percentText } from './progress-words.js';
import { bytesText, durationText } from './quantity.js';
import { fitText } from './text-width.js';

/** What the display shows of a download. */
export interface TimedPull extends PullProgress {
  /** Of all bytes, 0..1. */
  readonly fraction: number;
  /** Since the download began. */
  readonly elapsedMs: number;
}

/** How the progress of a download is shown. */
export const pullView: ProgressView<TimedPull> = {
  mainPhase: 'pulling',
  picture: (progress, columns, paint) => [
    phaseLine(progress, 'checking'.length, columns, paint),
    joinFitting(words(progress), columns),
    paint.style('dim', fitText(shownName(progress.file), columns)),
  ],
  line: (progress) =>
    `${progress.phase}: ${[percentText(progress.fraction), ...words(progress)].join(', ')}, ${shownName(progress.file)}`,
};

/** `180 MB of 440 MB`, `12 MB/s`, `22 s left`, `100 MB were here`; most important first. */
function words({ bytes, bytesKept, totalBytes, elapsedMs }: TimedPull): string[] {
  const words = [`${bytesText(bytes)} of ${bytesText(totalBytes)}`];
  // What turned out to be wrong is fetched again, so there may be less than there was.
  const perMs = elapsedMs > 0 ? Math.max(bytes - bytesKept, 0) / elapsedMs : 0;
  if (perMs > 0) {
    words.push(`${bytesText(perMs * 1000)}/s`);
    if (bytes < totalBytes) words.push(`${durationText((totalBytes - bytes) / perMs)} left`);
  }
  if (bytesKept > 0) words.push(`${bytesText(bytesKept)} were here`);
  return words;
}
