import type { ReadOptions } from '#corpus/corpus-options.js';

/** What `sluice label` is told. */
export interface LabelOptions extends Omit<ReadOptions, 'chunkRows' | 'chunkBytes' | 'readBytes'> {
  /** Directory of the bundle. */
  readonly model: string;
  /** Files, or `-` alone for standard input. */
  readonly corpus: readonly string[];
  /** Path of the output. */
  readonly out: string;
  readonly outFormat: 'jsonl' | 'csv';
  readonly runDir: string;
  readonly speed?: number | undefined;
  readonly policy?: string | undefined;
  readonly probabilities: boolean;
  readonly chunkRows: number;
  readonly batchTokens: number;
  /** Inference threads. */
  readonly workers: number;
  readonly tokenizerThreads: number;
  /** Bound of the activations that wait between stages, MiB. */
  readonly survivorMemory: number;
  readonly acceptFingerprint: boolean;
}
