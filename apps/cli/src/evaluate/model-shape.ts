import type { Manifest } from '#model/bundle/manifest.js';
import type { ModelShape } from '#pipeline/evaluation/row-work.js';
import { UsageError } from '../usage-error.js';

/** What the work of a row is counted with. @throws UsageError for a bundle that does not say how wide its exits are */
export function modelShape({ geometry, labels, exits }: Manifest): ModelShape {
  return {
    layers: geometry.layers,
    hiddenSize: geometry.hiddenSize,
    intermediateSize: geometry.intermediateSize,
    classes: labels.length,
    exits: exits.map(({ layer, kind, size, heads }) => {
      if (kind === 'pooler') return { layer, kind };
      if (size === undefined || heads === undefined) {
        throw new UsageError(
          `The bundle does not say the width of exit ${layer}, so its work cannot be counted: compile it again with this version.`,
        );
      }
      return { layer, kind, size, heads };
    }),
  };
}
