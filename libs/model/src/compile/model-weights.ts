import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { readEmbeddings, readLayer } from '../checkpoint/weights.js';
import type { FoldedExit } from './fold-exit.js';
import { foldExit } from './fold-exit.js';
import type { ModelWeights } from './stage-graph.js';

/**
 * Reads all layers and folds the exits that are kept.
 * @param exits layers of the kept exits
 * @throws CheckpointError, SafetensorsError
 */
export async function readModelWeights(
  checkpoint: Checkpoint,
  exits: readonly number[],
): Promise<ModelWeights> {
  const { config } = checkpoint;
  const embeddings = await readEmbeddings(checkpoint);
  const layers = [];
  for (let layer = 1; layer <= config.geometry.layers; layer++)
    layers.push(await readLayer(checkpoint, layer));
  const folded = new Map<number, FoldedExit>();
  for (const exit of config.exits) {
    if (exits.includes(exit.layer)) folded.set(exit.layer, await foldExit(checkpoint, exit));
  }
  return { embeddings, layers, exits: folded };
}
