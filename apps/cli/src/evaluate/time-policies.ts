import type { TokenColumns } from '#pipeline/columns.js';
import type { OpenLabeller } from '#run/open-labeller.js';
import type { NamedPolicy } from './named-policies.js';

/** Texts per second over the rounds. */
export interface MeasuredRate {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The fewest with a middle one. */
export const TIMING_ROUNDS = 3;

/**
 * Times the stage engine on the same rows with each policy. Every round runs all policies, every second one from the
 * last to the first, so that a machine that warms up or slows down favours none.
 *
 * @param tokens ready made: tokenising is not timed
 * @returns in the order of the policies
 */
export async function timePolicies(
  labeller: OpenLabeller,
  policies: readonly NamedPolicy[],
  tokens: TokenColumns,
  onRound: (round: number) => void,
): Promise<MeasuredRate[]> {
  const rows = tokens.offsets.length - 1;
  const engines = policies.map(({ policy }) => ({
    engine: labeller.withPolicy(policy),
    rates: [] as number[],
  }));
  for (let round = 0; round < TIMING_ROUNDS; round++) {
    onRound(round);
    for (const { engine, rates } of round % 2 === 0 ? engines : engines.toReversed()) {
      const begun = performance.now();
      await engine.label(tokens);
      rates.push((rows / (performance.now() - begun)) * 1000);
    }
  }
  return engines.map(({ rates }) => {
    const sorted = rates.toSorted((a, b) => a - b);
    return { median: sorted[sorted.length >> 1]!, least: sorted[0]!, most: sorted.at(-1)! };
  });
}
