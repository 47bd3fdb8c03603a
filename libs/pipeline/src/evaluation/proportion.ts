/** A share of counted rows with its 95 % interval. */
export interface Proportion {
  readonly part: number;
  readonly whole: number;
  /** part ÷ whole; 0 of nothing is 0. */
  readonly share: number;
  /** Lower end of the interval; 0 where nothing was counted. */
  readonly low: number;
  /** Upper end; 1 where nothing was counted. */
  readonly high: number;
}

/** The normal distribution has 95 % of its mass within so many standard deviations. */
const Z = 1.959963984540054;

/**
 * The share of rows with Wilson's score interval. With p = part ÷ whole, n = whole and z = 1.96:
 *
 *     (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) ÷ (1 + z²/n)
 *
 * Unlike p ± z √(p(1 − p)/n) it stays within 0..1 and keeps a width where p is 0 or 1. Source: E. B. Wilson, "Probable
 * inference, the law of succession, and statistical inference", JASA 22 (1927).
 */
export function proportion(part: number, whole: number): Proportion {
  if (whole === 0) return { part, whole, share: 0, low: 0, high: 1 };
  const share = part / whole;
  const z2n = (Z * Z) / whole;
  const centre = (share + z2n / 2) / (1 + z2n);
  const half = (Z * Math.sqrt((share * (1 - share)) / whole + z2n / (4 * whole))) / (1 + z2n);
  // Rounding must not put a share of 0 or 1 outside its own interval.
  return {
    part,
    whole,
    share,
    low: Math.max(0, Math.min(share, centre - half)),
    high: Math.min(1, Math.max(share, centre + half)),
  };
}
