/**
 * How many tokens of each text of a pair are kept: the longer text is cut first. Where both must be cut they get half
 * each, and the odd token goes to the text that was longer, on a tie to the second (as `longest_first` of the
 * reference does it).
 *
 * @param first tokens of the first text
 * @param second tokens of the second text
 * @param budget tokens that the pair may keep
 */
export function longestFirst(first: number, second: number, budget: number): [first: number, second: number] {
  if (first + second <= budget) return [first, second];
  const shorter = Math.min(first, second);
  const half = Math.floor(budget / 2);
  const kept = shorter <= half ? shorter : half;
  return first > second ? [budget - kept, kept] : [kept, budget - kept];
}
