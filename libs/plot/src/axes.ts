/** Places of numbers along an axis. */
export interface Axis {
  /** In pixels. */
  at(value: number): number;
  readonly ticks: readonly number[];
}

/**
 * Shares of saved work, at equal distances for equal factors of speed-up: from 0 to 50 % is as far as from 98 to 99 %.
 * Most of what is saved is saved beyond 90 %, where a linear axis would put all points on one spot.
 */
export function savedAxis(saved: readonly number[], from: number, to: number): Axis {
  const least = Math.min(0, ...saved.map(halvings));
  const most = Math.max(halvings(0.1), ...saved.map(halvings));
  const spread = (most - least) * 1.04;
  const shares = most < halvings(0.9) ? coarseShares : fineShares;
  return {
    at: (value) => from + ((halvings(value) - least) / spread) * (to - from),
    ticks: shares.filter((share) => halvings(share) <= least + spread),
  };
}

const coarseShares = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9];
const fineShares = [0, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999];

/** How often the work was halved. */
function halvings(saved: number): number {
  return -Math.log2(Math.max(1 - saved, 1e-4));
}

/** A linear axis of shares with ticks at 1, 2 or 5 times a power of ten, about five of them. */
export function shareAxis(values: readonly number[], from: number, to: number): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const rough = Math.max((high - low) / 5, 1e-4);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.max(0, Math.floor(low / step));
  const last = Math.max(first + 1, Math.ceil(high / step));
  return {
    at: (value) => from + ((value / step - first) / (last - first)) * (to - from),
    ticks: Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step),
  };
}

/** `97.5 %`, with as many digits as neighbouring ticks need to differ. */
export function tickText(share: number, step: number): string {
  const digits = Math.max(0, Math.ceil(-Math.log10(step * 100) - 1e-9));
  return `${(share * 100).toFixed(digits)} %`;
}
