/**
 * The order of the variants in a round, from 0: every second round runs the one before it backwards, every two start one
 * further on, so that no variant always comes first, last, or behind the same other one.
 */
export function orderOfRound<T>(variants: readonly T[], round: number): T[] {
  const start = variants.length === 0 ? 0 : (round >> 1) % variants.length;
  const rotated = [...variants.slice(start), ...variants.slice(0, start)];
  return round % 2 === 0 ? rotated : rotated.toReversed();
}
