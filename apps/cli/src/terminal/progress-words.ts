import type { LabelProgress } from '#run/label-progress.js';
import { remainingMs, rowsPerSecond } from '#run/label-progress.js';
import { countText, durationText, rateText, rowsText } from './quantity.js';

/** `3,412 of ~5,908 rows`, or `3,412 rows` while the corpus's size is unknown. */
export function rowsDoneText({ rows, totalRows, totalGuessed }: LabelProgress): string {
  if (totalRows === undefined) return rowsText(rows);
  return `${countText(rows)} of ${totalGuessed ? '~' : ''}${rowsText(Math.max(totalRows, rows))}`;
}

/** What else there is to say of the run's pace, most important first: rate, time left, rejects, resumed rows. */
export function paceWords(progress: LabelProgress): string[] {
  const words: string[] = [];
  const rate = rowsPerSecond(progress);
  const left = remainingMs(progress);
  if (rate > 0) words.push(rateText(rate));
  if (left !== undefined && left > 0) words.push(`${durationText(left)} left`);
  if (progress.rejected > 0) words.push(`${countText(progress.rejected)} rejected`);
  if (progress.rowsResumed > 0) words.push(`${countText(progress.rowsResumed)} resumed`);
  return words;
}

/** `41 %`, and nothing where the fraction is unknown. Rounds down: 100 % is all. */
export function percentText(fraction: number | undefined): string {
  return fraction === undefined ? '' : `${Math.floor(fraction * 100)} %`;
}
