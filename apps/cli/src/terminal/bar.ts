const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/**
 * A bar of blocks, to an eighth of a column; a share above 0 shows at least the thinnest.
 *
 * @param share 0..1
 * @param columns width of a full bar
 */
export function bar(share: number, columns: number): string {
  const parts = Math.round(Math.min(Math.max(share, 0), 1) * columns * 8);
  const shown = share > 0 && columns > 0 ? Math.max(parts, 1) : parts;
  return '█'.repeat(shown >> 3) + eighths[shown & 7]!;
}
