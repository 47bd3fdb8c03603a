import type { ReadOptions } from '#corpus/corpus-options.js';
import type { OutputFormat } from '#corpus/row-writer.js';

/** What to label, how, and where to: everything that is the same wherever the texts are labelled. */
export interface RunOptions extends Omit<ReadOptions, 'chunkRows' | 'chunkBytes' | 'readBytes'> {
  /** Files, or `-` alone for standard input. */
  readonly corpus: readonly string[];
  /** What rejects call each of several files; their paths unless told. */
  readonly corpusNames?: readonly string[] | undefined;
  /** Path of the output. */
  readonly out: string;
  readonly outFormat: OutputFormat;
  /** Whether the output is gzip. */
  readonly compress: boolean;
  readonly runDir: string;
  readonly probabilities: boolean;
  /** csv: whether cells that spreadsheets would take for formulas are neutralised. */
  readonly spreadsheetSafe: boolean;
  readonly chunkRows: number;
  readonly acceptFingerprint: boolean;
}

/** What `sluice label` is told. */
export interface LabelOptions extends RunOptions {
  /** Directory of the bundle. */
  readonly model: string;
  readonly speed?: number | undefined;
  readonly policy?: string | undefined;
  readonly batchTokens: number;
  /** Inference threads. */
  readonly workers: number;
  readonly tokenizerThreads: number;
  /** Bound of the activations that wait between stages, MiB. */
  readonly survivorMemory: number;
  /** Whether texts of the same tokens are computed once. */
  readonly dedupe: boolean;
  /** Bound of the texts that are remembered for that, MiB. */
  readonly dedupeMemory: number;
}
