import type { Manifest } from '#model/bundle/manifest.js';
import { UsageError } from './usage-error.js';

/** Refuses a second text that the model does not take; one that is missing is the corpus's to say. @throws UsageError */
export function checkTask({ task }: Pick<Manifest, 'task'>, pairField: string | undefined): void {
  if (task === 'single' && pairField !== undefined) {
    throw new UsageError('The model labels single texts, so a pair field has no use.');
  }
}

/** A regression's numbers are compared with nothing. @throws UsageError */
export function checkGolds({ problem }: Pick<Manifest, 'problem'>, labelField: string | undefined): void {
  if (problem === 'regression' && labelField !== undefined) {
    throw new UsageError(
      "The model's head is a regression: its numbers are not compared with given ones, so a label field has no use.",
    );
  }
}
