import type { Spread } from '../statistics.js';

/** `1,234 (1,200–1,250)`, each number with so many decimals: the median, and the least and the most. */
export function spreadText({ median, least, most }: Spread, decimals: number, unit = ''): string {
  const text = (value: number): string => fixed(value, decimals);
  const range = least === most ? '' : ` (${text(least)}–${text(most)})`;
  return `${text(median)}${unit}${range}`;
}

/** A share as percent. */
export function percentSpread({ median, least, most }: Spread): string {
  return spreadText({ median: 100 * median, least: 100 * least, most: 100 * most }, 1, ' %');
}

export function fixed(value: number, decimals: number): string {
  return value.toLocaleString('en-US', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}
