import type { Manifest } from '#model/bundle/manifest.js';
import { UsageError } from '../usage-error.js';

/** Refuses a second text that the model does not take; one that is missing is the corpus's to say. @throws UsageError */
export function checkTask({ task }: Pick<Manifest, 'task'>, pairField: string | undefined): void {
  if (task === 'single' && pairField !== undefined) {
    throw new UsageError('The model labels single texts, so --pair-field has no use.');
  }
}
