import type { Manifest } from '#model/bundle/manifest.js';
import type { ModelShape } from '#pipeline/evaluation/row-work.js';

/** What the work of a row is counted with. */
export function modelShape({ geometry, labels, exits }: Manifest): ModelShape {
  const { layers, hiddenSize, embeddingSize, intermediateSize } = geometry;
  return { layers, hiddenSize, embeddingSize, intermediateSize, classes: labels.length, exits };
}
