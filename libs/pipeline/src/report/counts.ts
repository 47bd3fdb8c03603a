export function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const each of counts) total += each;
  return total;
}

/** part ÷ whole, and 0 of nothing is 0. */
export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
