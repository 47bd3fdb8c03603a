import type { Manifest } from '#model/bundle/manifest.js';
import { UsageError } from '../usage-error.js';

/** Refuses a second text that the model does not take, or a missing one. @throws UsageError */
export function checkTask({ task }: Manifest, pairField: string | undefined): void {
  if (task === 'pair' && pairField === undefined) {
    throw new UsageError(
      'The model labels pairs of texts: name the field of the second one with --pair-field.',
    );
  }
  if (task === 'single' && pairField !== undefined) {
    throw new UsageError('The model labels single texts, so --pair-field has no use.');
  }
}
