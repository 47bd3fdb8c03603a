import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RoundValue } from './statistics.js';

/** One child process: one variant in one round. */
export interface Sample {
  readonly variant: string;
  /** From 0. */
  readonly round: number;
  /** Place among all samples of the bench in the order in which they ran, from 0. */
  readonly order: number;
  /** Wall time of the timed part, seconds. */
  readonly wallSeconds: number;
  /** Processor time of the timed part, user and system, all threads, seconds. */
  readonly cpuSeconds: number;
  /** Wall and processor time of the whole child, start and end included, seconds. */
  readonly process: { readonly wallSeconds: number; readonly cpuSeconds: number };
  /** Rows that were worked on in the timed part. */
  readonly rows: number;
  /** The most resident memory of the child, bytes. */
  readonly peakBytes: number;
  /** What else the variant measured, by name. */
  readonly figures: Readonly<Record<string, number>>;
  /** SHA-256 over the label and exit of every row, where the variant labels. */
  readonly labelsSha256?: string | undefined;
}

/** What a bench leaves behind: where it ran, and every raw sample in its order. */
export interface BenchResult<Configuration, Summary> {
  readonly format: 1;
  /** Name of the bench, such as `sluice` or `peers`. */
  readonly bench: string;
  /** ISO 8601. */
  readonly begun: string;
  readonly configuration: Configuration;
  readonly samples: readonly Sample[];
  /** Computed from the samples. */
  readonly summary: Summary;
}

/** Writes a result as JSON; the file takes its name when it is whole. */
export async function writeResult(path: string, result: BenchResult<unknown, unknown>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  await writeFile(partial, `${JSON.stringify(result, undefined, 2)}\n`);
  await rename(partial, path);
}

/** A value of each sample of one variant, by round. */
export function roundValues(
  samples: readonly Sample[],
  variant: string,
  valueOf: (sample: Sample) => number,
): RoundValue[] {
  return samples
    .filter((sample) => sample.variant === variant)
    .map((sample) => ({ round: sample.round, value: valueOf(sample) }));
}
