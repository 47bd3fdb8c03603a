import { rowsPerSecond } from '#run/label-progress.js';
import type { RunView } from '#run/run-view.js';
import { rateText } from './quantity.js';

/** `balanced`, `speed 0.2`, `own thresholds`. */
export function policyText({ speed, policy }: Pick<RunView['request'], 'speed' | 'policy'>): string {
  if (speed !== undefined) return speed === 0 ? 'full depth' : `speed ${speed}`;
  if (policy === undefined) return 'as the model';
  return typeof policy === 'string' ? policy : 'own thresholds';
}

/** Rows per second, of a run that goes on or went on here; undefined before the first. */
export function throughputText({ progress, report }: RunView): string | undefined {
  const rate = report?.lastSession.rowsPerSecond ?? (progress && rowsPerSecond(progress));
  return rate === undefined || rate === 0 ? undefined : rateText(rate);
}

/** Of its work, 0..1; undefined while it goes on and nobody knows. */
export function fractionOf({ phase, progress }: Pick<RunView, 'phase' | 'progress'>): number | undefined {
  if (phase === 'finished') return 1;
  return progress?.fraction ?? (phase === 'running' ? undefined : 0);
}
