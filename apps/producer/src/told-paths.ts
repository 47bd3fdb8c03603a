import { resolve, sep } from 'node:path';

/**
 * A text for clients, who know nothing of the producer's disk: each path below one of the roots is told from there on.
 *
 *     toldPaths('Cannot read /data/runs/3x/input/a.txt: …', ['/data/runs/3x', '/data/runs/3x/input'])
 *     // Cannot read a.txt: …
 *
 * @param roots folders; of nested ones the deepest counts
 */
export function toldPaths(text: string, roots: readonly string[]): string {
  const prefixes = roots
    .flatMap((root) => [root, resolve(root)])
    .map((root) => (root.endsWith(sep) ? root : root + sep))
    .filter((prefix) => prefix !== sep)
    .sort((a, b) => b.length - a.length);
  if (prefixes.length === 0) return text;
  const any = prefixes.map((prefix) => prefix.replace(/[$()*+.?[\\\]^{|}/]/g, '\\$&')).join('|');
  // Not within a longer path.
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}_./\\\\-])(?:${any})`, 'gu'), '');
}
