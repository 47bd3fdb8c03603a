/** First and last code points of a table of hexadecimal ranges such as `ad 600-605`. */
export function rangesOf(table: string): [first: number, last: number][] {
  return table
    .trim()
    .split(/\s+/)
    .map((range) => {
      const [first, last = first] = range.split('-').map((digits) => Number.parseInt(digits, 16));
      return [first!, last!];
    });
}
