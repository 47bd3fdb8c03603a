/** 10^0 … 10^15: exact in a double, and so is every quotient's rounding. */
const POWERS = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
const ZEROS = Array.from({ length: 16 }, (_, count) => `0.${'0'.repeat(count)}`);
/** Decimals of 0.1…, 0.01…, … with this many significant digits are tried first. */
const FIRST_TRY = 7;

/**
 * The shortest decimal that reads back to the same float32 (read as a double, then rounded), for example 0.1 for
 * Math.fround(0.1) = 0.10000000149011612. Of several of that length the nearest. Written as JSON and JavaScript
 * write numbers.
 *
 * Between 1e-6 and 1, where probabilities are, by arithmetic alone: n ÷ 10^k is rounded once, so it is the very double
 * that the decimal of n and k decimals reads back to, and the fewest decimals that round-trip are the shortest.
 *
 * @param value a finite float32
 * @throws RangeError when it is not
 */
export function shortestFloat(value: number): string {
  if (value === 0) return '0';
  if (value < 1e-6 || !(value < 1) || Math.fround(value) !== value) return anyShortest(value);
  let decimals = FIRST_TRY;
  for (let scaled = value; scaled < 0.1; scaled *= 10) decimals++;
  let digits = digitsThatRoundTrip(value, decimals);
  if (digits < 0) {
    do digits = digitsThatRoundTrip(value, ++decimals);
    while (digits < 0);
  } else {
    for (let fewer = digits; fewer >= 0 && decimals > 0;) {
      digits = fewer;
      fewer = digitsThatRoundTrip(value, --decimals);
    }
    decimals++;
  }
  const text = String(digits);
  return (ZEROS[decimals - text.length] ?? '') + text;
}

/**
 * The n for which n ÷ 10^decimals rounds to the value, −1 where there is none. The nearest decides: only at a power of
 * two, where the floats below are twice as dense, could a farther one round back where the nearest does not, and at none
 * between 1e-6 and 1 it does.
 */
function digitsThatRoundTrip(value: number, decimals: number): number {
  const power = POWERS[decimals] ?? 0;
  const nearest = Math.round(value * power);
  return Math.fround(nearest / power) === value ? nearest : -1;
}

function anyShortest(value: number): string {
  if (!Number.isFinite(value) || Math.fround(value) !== value) {
    throw new RangeError(`Expected a finite float32, got ${value}.`);
  }
  if (value < 0) return `-${shortestFloat(-value)}`;
  for (let precision = 1; ; precision++) {
    const [digits = '', exponent] = value.toExponential(precision - 1).split('e');
    const nearest = Number(digits.replace('.', ''));
    for (const whole of [nearest, nearest + 1]) {
      const decimal = Number(`${whole}e${Number(exponent) - precision + 1}`);
      if (Math.fround(decimal) === value) return String(decimal);
    }
  }
}
