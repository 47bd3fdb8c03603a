import { stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { UsageError } from './usage-error.js';

/** Where `sluice label` reads and writes. */
export interface LabelPlaces {
  /** Files, or `-` alone for standard input. */
  readonly corpus: readonly string[];
  readonly out: string;
  readonly runDir: string;
}

/**
 * Refuses an output that would take the place of the corpus, under whatever name, or of a file of the run.
 * @throws UsageError
 */
export async function checkPlaces({ corpus, out, runDir }: LabelPlaces): Promise<void> {
  const inRunDir = relative(resolve(runDir), resolve(out));
  if (inRunDir !== '..' && !inRunDir.startsWith(`..${sep}`)) {
    throw new UsageError(
      `The output ${out} would lie in the run directory ${runDir}: name another --out or --run-dir.`,
    );
  }
  const written = await identityOf(out);
  if (written === undefined) return;
  for (const path of corpus) {
    if (written !== (await identityOf(path === '-' ? '/dev/stdin' : path))) continue;
    const what = corpus.length === 1 ? 'the corpus itself' : 'one of the files of the corpus';
    throw new UsageError(`The output ${out} is ${what} and would replace it: name another --out.`);
  }
}

/** The file behind a path, whichever of its names that is; undefined where there is none. */
async function identityOf(path: string): Promise<string | undefined> {
  const file = await stat(path, { bigint: true }).catch(() => undefined);
  return file && `${file.dev}/${file.ino}`;
}
