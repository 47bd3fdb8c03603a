import type { RandomNumbers } from './random.js';

/** Above so many expected successes and failures the normal distribution is near enough. */
const NORMAL_FROM = 40;

/**
 * How many of `rows` go on, each with the same probability, independently: a draw of the binomial distribution.
 * Inversion (BINV of Kachitvichyanukul and Schmeiser, 1988) where few are expected; else the normal distribution of the same
 * mean and variance, rounded, cut to 0..rows.
 */
export function drawSurvivors(rows: number, probability: number, random: RandomNumbers): number {
  if (probability <= 0) return 0;
  if (probability >= 1) return rows;
  if (probability > 0.5) return rows - drawSurvivors(rows, 1 - probability, random);
  const mean = rows * probability;
  if (mean >= NORMAL_FROM) {
    const deviation = Math.sqrt(mean * (1 - probability));
    // Box and Muller (1958).
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.min(rows, Math.max(0, Math.round(mean + deviation * normal)));
  }
  const odds = probability / (1 - probability);
  let left = random();
  let chance = (1 - probability) ** rows;
  for (let count = 0; count < rows; count += 1) {
    if (left < chance) return count;
    left -= chance;
    chance *= (odds * (rows - count)) / (count + 1);
  }
  return rows;
}
