import type { Manifest } from '#model/bundle/manifest.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';

/**
 * Share of the rows that should leave at each exit, by layer, from the texts that the bundle was measured on. Between two
 * speeds that were measured it lies on the line between them.
 *
 * @returns undefined where the bundle does not say: it was compiled without texts, or the exits have thresholds of their own
 */
export function expectedExits(
  { quality, exits }: Pick<Manifest, 'quality' | 'exits'>,
  policy: ExitPolicy,
): ReadonlyMap<number, number> | undefined {
  const layers = exits.map(({ layer }) => layer);
  // The last exit takes every row whatever its threshold.
  const thresholds = new Set(layers.slice(0, -1).map((layer) => policy.get(layer)));
  const [speed = 0] = thresholds;
  const leaving = quality?.leaving ?? [];
  const above = leaving.find((each) => each.speed >= speed) ?? leaving.at(-1);
  const below = leaving.findLast((each) => each.speed <= speed) ?? leaving[0];
  if (thresholds.size > 1 || above === undefined || below === undefined) return undefined;
  const way = above === below ? 0 : (speed - below.speed) / (above.speed - below.speed);
  return new Map(
    layers.map((layer, exit) => [layer, below.shares[exit]! * (1 - way) + above.shares[exit]! * way]),
  );
}
