/**
 * Rises from 0 for a share of the steps, then falls to 0, both in a line.
 *
 * @param step from 0
 * @param steps of the whole training
 * @param warmUp share of them
 */
export function learningRate(peak: number, step: number, steps: number, warmUp: number): number {
  const rising = warmUp * steps;
  if (step < rising) return (peak * step) / Math.max(1, rising);
  return peak * Math.max(0, (steps - step) / Math.max(1, steps - rising));
}
