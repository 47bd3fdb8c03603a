import type { Leaving } from '../bundle/manifest.js';
import type { ExitOpinions } from './exit-opinions.js';

/** Dense where a little more speed lets many more texts leave. */
const SPEEDS = [
  0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9,
  1,
];

/** Layer of the exit where each row leaves, in float32 as the graphs compare, `[rows]`. */
export function leavingLayers(
  { rows, exits }: Pick<ExitOpinions, 'rows' | 'exits'>,
  speed: number,
): number[] {
  const layers = [...exits.keys()];
  const last = layers.at(-1)!;
  const threshold = Math.fround(speed);
  return Array.from(
    { length: rows },
    (_, row) => layers.find((layer) => exits.get(layer)!.uncertainty[row]! < threshold) ?? last,
  );
}

/** Where the measured texts leave, by speed. @param speeds further ones, such as those of presets */
export function leavingShares(opinions: ExitOpinions, speeds: readonly number[]): Leaving[] {
  const layers = [...opinions.exits.keys()];
  return [...new Set([...SPEEDS, ...speeds])]
    .sort((a, b) => a - b)
    .map((speed) => {
      const left = new Map(layers.map((layer) => [layer, 0]));
      for (const layer of leavingLayers(opinions, speed)) left.set(layer, left.get(layer)! + 1);
      return { speed, shares: Array.from(left.values(), (rows) => rows / opinions.rows) };
    });
}
