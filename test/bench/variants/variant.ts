import type { LabelColumns, TokenColumns } from '#pipeline/columns.js';
import type { StageWork } from '../children/stage-log.js';
import type { BenchCorpus } from '../corpus.js';
import type { ExactBatch } from '../exact-batches.js';
import type { BundleKind, Bundles } from '../models.js';
import type { Sample } from '../result-file.js';

/** What all variants work on, and how. */
export interface BenchWork {
  readonly bundles: Bundles;
  readonly corpus: BenchCorpus;
  readonly tokens: TokenColumns;
  /** Of the rows at full depth. */
  readonly batches: readonly ExactBatch[];
  readonly workers: number;
  readonly batchTokens: number;
  /** Of the early exits. */
  readonly speed: number;
  /** For files. */
  readonly folder: string;
}

export type RowLabels = Pick<LabelColumns, 'label' | 'exitLayer'>;

/** What one child process measured, and what it can be checked by. */
export interface Observation extends Omit<Sample, 'variant' | 'round' | 'order' | 'labelsSha256'> {
  readonly labels?: RowLabels | undefined;
  readonly stages?: readonly StageWork[] | undefined;
  /** SHA-256 of the output file, where there is one. */
  readonly outputSha256?: string | undefined;
}

export interface Variant {
  /** As `--only` takes it. */
  readonly name: string;
  /** What it is, in a few words. */
  readonly title: string;
  /** The bundle that it runs, or whose shape it has. */
  readonly bundle: BundleKind;
  /** Runs in a fresh process. */
  run(work: BenchWork): Promise<Observation>;
}

/** The bundle of a variant. @throws RangeError where the model has none of the kind */
export function bundleOf({ bundles }: BenchWork, kind: BundleKind) {
  const bundle = bundles.get(kind);
  if (bundle === undefined) throw new RangeError(`There is no bundle ${kind}.`);
  return bundle;
}
