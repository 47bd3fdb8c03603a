import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UsageError } from '#run/usage-error.js';
import { demoCorpus } from './corpus.js';
import type { BenchOptions } from './options.js';
import { projectFolder } from '../project-folder.js';

/** Which model is measured, and on which files. */
export interface BenchSource {
  /** A checkpoint to compile all bundles from, or a bundle that was compiled before. */
  readonly kind: 'checkpoint' | 'bundle';
  readonly directory: string;
  readonly files: readonly string[];
}

/** @throws UsageError for a checkpoint without texts to label */
export async function chooseSource(
  options: Pick<BenchOptions, 'checkpoint' | 'corpus' | 'cache'>,
  say: (line: string) => void,
): Promise<BenchSource> {
  const { checkpoint, corpus, cache } = options;
  if (checkpoint !== undefined) {
    if (corpus === undefined) throw new UsageError('--checkpoint needs texts of its kind: give --corpus.');
    return { kind: 'checkpoint', directory: checkpoint, files: corpus };
  }
  const shared = process.env['SLUICE_SHARED'] ?? join(projectFolder, '../shared');
  const directory = join(shared, 'models/agnews-fastbert');
  if (existsSync(directory)) {
    const texts = ['train', 'dev'].map((split) => join(shared, `data/agnews/${split}.jsonl`));
    return { kind: 'checkpoint', directory, files: corpus ?? texts };
  }
  say(
    `There is no ${basename(directory)} in the shared folder (SLUICE_SHARED), so models/spam is measured on the mails of the ` +
      'demo. It is compiled already: no fp32, no exits from layer 1, and its full depth computes the early exits, too.',
  );
  return {
    kind: 'bundle',
    directory: join(projectFolder, 'models/spam'),
    files: corpus ?? [await demoCorpus(cache)],
  };
}
