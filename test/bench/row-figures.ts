import { modelShape } from '../../apps/cli/src/evaluate/model-shape.js';
import type { Manifest } from '#model/bundle/manifest.js';
import type { TokenColumns } from '#pipeline/columns.js';
import { countedWork } from '#pipeline/evaluation/row-work.js';

/**
 * Floating-point operations of rows that left at given exits, exits and attention counted. The last exit of a bundle
 * without early ones is what the model without them costs.
 * @param exitLayer layer of the exit of each row
 */
export function executedWork(manifest: Manifest, { offsets }: TokenColumns, exitLayer: Uint8Array): number {
  const shape = modelShape(manifest);
  const work = countedWork(shape);
  const exits = new Map(shape.exits.map(({ layer }, index) => [layer, index]));
  return exitLayer.reduce((sum, layer, row) => {
    const exit = exits.get(layer);
    if (exit === undefined)
      throw new RangeError(`Row ${row} left at exit ${layer}, which the bundle has not.`);
    return sum + work.upTo(exit, offsets[row + 1]! - offsets[row]!);
  }, 0);
}

/** The same rows through every layer and the last exit alone. */
export function fullWork(manifest: Manifest, { offsets }: TokenColumns): number {
  const work = countedWork(modelShape(manifest));
  return offsets.subarray(1).reduce((sum, end, row) => sum + work.full(end - offsets[row]!), 0);
}

/** Share of the rows with a known label that got it; nothing where none is known. */
export function accuracy(
  label: Uint16Array,
  names: readonly string[],
  golds: readonly (string | undefined)[],
): { readonly accuracy?: number } {
  const known = golds.flatMap((gold, row) => (gold === undefined ? [] : [{ gold, row }]));
  if (known.length === 0) return {};
  const right = known.filter(({ gold, row }) => names[label[row]!] === gold).length;
  return { accuracy: right / known.length };
}
