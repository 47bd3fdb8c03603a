import { fixed } from '../view/spread-text.js';
import type { DepthObservation, DepthVariant, Engine } from './depth-variants.js';
import { DepthCheckError } from './depth-variants.js';

/** As float32 sums in another order differ. */
const MOST_DIFFERENCE = 1e-4;
/** Least share of rows that int8 labels as fp32 does: weights are random, and many rows are near one half. */
const LEAST_AGREEMENT = 0.9;

/** A variant says in every round what it said in its first. @throws DepthCheckError */
export function checkRound(
  { name, engine }: Pick<DepthVariant, 'name' | 'engine'>,
  { probabilities }: Pick<DepthObservation, 'probabilities'>,
  first: Pick<DepthObservation, 'probabilities'>,
): void {
  if (probabilities.length !== first.probabilities.length) {
    throw new DepthCheckError(
      `${name} gave ${probabilities.length} rows, ${first.probabilities.length} before.`,
    );
  }
  const most = greatestDifference(probabilities, first.probabilities);
  const allowed = engine.startsWith('sluice') ? 0 : MOST_DIFFERENCE;
  if (!(most <= allowed)) throw new DepthCheckError(`${name} gave probabilities that differ by ${most}.`);
}

/**
 * Float32 is the same in all engines, and int8 labels as float32 does.
 * @param first observation of each variant
 * @returns what was found, in words
 * @throws DepthCheckError
 */
export function checkDepths(
  variants: readonly Pick<DepthVariant, 'name' | 'engine' | 'depth'>[],
  first: ReadonlyMap<string, Pick<DepthObservation, 'probabilities'>>,
): string[] {
  const depths = new Set(variants.map(({ depth }) => depth));
  return Array.from(depths, (depth) => {
    const said = (engine: Engine): readonly number[] => {
      const { name } = variants.find((variant) => variant.engine === engine && variant.depth === depth)!;
      return first.get(name)!.probabilities;
    };
    const expected = said('pytorch-1');
    for (const engine of ['sluice-fp32', 'pytorch-32'] as const) {
      const most = greatestDifference(said(engine), expected);
      if (!(most <= MOST_DIFFERENCE)) {
        throw new DepthCheckError(`${engine} and pytorch-1 differ by ${most} after layer ${depth}.`);
      }
    }
    const int8 = said('sluice-int8');
    const agreement = int8.filter((p, row) => p > 0.5 === expected[row]! > 0.5).length / expected.length;
    if (!(agreement >= LEAST_AGREEMENT)) {
      throw new DepthCheckError(`int8 labels ${agreement} of the rows as fp32 does after layer ${depth}.`);
    }
    const off = int8.reduce((sum, p, row) => sum + Math.abs(p - expected[row]!), 0) / expected.length;
    const difference = greatestDifference(said('sluice-fp32'), expected);
    return (
      `after layer ${depth}: Sluice fp32 and PyTorch differ by ${difference.toExponential(1)} at most; ` +
      `int8 labels ${fixed(100 * agreement, 1)} % as fp32 does, its probabilities are off by ${fixed(off, 4)} in the mean`
    );
  });
}

function greatestDifference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((most, value, row) => Math.max(most, Math.abs(value - b[row]!)), 0);
}
