import { agreement, BenchCheckError } from '../checks.js';
import type { Observation, RowLabels } from '../variants/variant.js';
import type { RecordedLabels } from './recorded-labels.js';

/** Least share of the rows that have the label of Sluice's int8 at full depth. */
const LEAST_AGREEMENT = 0.98;

/** The same against the labels that the checkpoint records, for what computes in float32. */
const LEAST_RECORDED_AGREEMENT = 0.999;

/** One of the bench, with what its labels must be. */
export interface CheckedVariant {
  readonly name: string;
  /** Computes in float32 without early exits: the checkpoint's recorded labels must come back. */
  readonly float32: boolean;
}

/** Share of the recorded texts among the rows that have the recorded label; undefined without such texts. */
export function recordedAgreement(
  { label }: RowLabels,
  texts: readonly string[],
  recorded: RecordedLabels,
): number | undefined {
  const rows = texts.flatMap((text, row) =>
    recorded.has(text) ? [{ row, wanted: recorded.get(text) }] : [],
  );
  if (rows.length === 0) return undefined;
  return rows.filter(({ row, wanted }) => label[row] === wanted).length / rows.length;
}

/** @throws BenchCheckError */
export function checkRecorded({ name, float32 }: CheckedVariant, share: number | undefined): void {
  if (!float32 || share === undefined || share >= LEAST_RECORDED_AGREEMENT) return;
  throw new BenchCheckError(
    `${name} gives ${share} of the recorded texts their recorded label; at least ${LEAST_RECORDED_AGREEMENT} must be.`,
  );
}

/** In words: how many recorded texts got their label. */
export function recordedChecks(first: ReadonlyMap<string, Pick<Observation, 'figures'>>): string[] {
  return [...first].flatMap(([name, { figures }]) => {
    const share = figures['recordedAgreement'];
    return share === undefined
      ? []
      : [`${name} gives ${(100 * share).toFixed(2)} % of the recorded texts their recorded label`];
  });
}

/**
 * Compares the labels of all variants with those of one.
 * @returns what was checked, in words
 * @throws BenchCheckError
 */
export function checkAgreement(labels: ReadonlyMap<string, RowLabels>, reference: string): string[] {
  const wanted = labels.get(reference);
  if (wanted === undefined) return [`${reference} did not run: no labels were compared with its`];
  return [...labels]
    .filter(([name]) => name !== reference)
    .map(([name, own]) => {
      const share = agreement(own, wanted);
      if (share < LEAST_AGREEMENT) {
        throw new BenchCheckError(
          `${name} gives ${share} of the rows the label of ${reference}; at least ${LEAST_AGREEMENT} must be.`,
        );
      }
      return `${name} labels ${(100 * share).toFixed(2)} % of the rows as ${reference} does`;
    });
}
