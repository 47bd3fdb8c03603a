/** Summaries of repeated measurements. */

/** Of an odd or even number of values; `median` is the mean of the middle two where there is no middle one. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @throws RangeError without values, or with one that is no number */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0 || values.some(Number.isNaN)) {
    throw new RangeError(`Expected numbers to summarise; got [${values.join(', ')}].`);
  }
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
  return { median, least: sorted[0]!, most: sorted.at(-1)! };
}

/** What was measured in one round. */
export interface RoundValue {
  readonly round: number;
  readonly value: number;
}

/**
 * Numerator ÷ denominator within each round, then the spread of these ratios: a machine that slows down between rounds
 * changes both sides of a ratio alike.
 *
 * @throws RangeError unless both sides have one value for the same rounds
 */
export function ratioWithinRounds(
  numerators: readonly RoundValue[],
  denominators: readonly RoundValue[],
): Spread {
  const below = new Map(denominators.map(({ round, value }) => [round, value]));
  if (below.size !== numerators.length || denominators.length !== numerators.length) {
    throw new RangeError(
      `Expected the same rounds on both sides of a ratio; got ${numerators.length} and ${denominators.length} values.`,
    );
  }
  return spreadOf(numerators.map(({ round, value }) => value / (below.get(round) ?? Number.NaN)));
}

/** y = intercept + slope · x with the least squares. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
}

/** @throws RangeError for fewer than two points, or points of one x */
export function fitLine(points: readonly { readonly x: number; readonly y: number }[]): Line {
  const [meanX, meanY] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))];
  const spreadX = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (!(spreadX > 0))
    throw new RangeError(`A line needs two points of different x; got ${points.length} points.`);
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spreadX;
  return { slope, intercept: meanY - slope * meanX };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
