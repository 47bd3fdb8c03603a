import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { readEmbeddings, readLayer } from '../checkpoint/weights.js';
import type { FoldedExit } from './fold-exit.js';
import { foldExit } from './fold-exit.js';
import { foldExitShift, foldLayer } from './fold-norm.js';
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
  /** The norm before layer N + 1, and before the exit after layer N. */
  const norms = [embeddings.norm];
  const layers = [];
  for (let layer = 1; layer <= config.geometry.layers; layer++) {
    const weights = await readLayer(checkpoint, layer);
    layers.push(foldLayer(weights, norms.at(-1)!));
    norms.push(weights.outputNorm);
  }
  const folded = new Map<number, FoldedExit>();
  for (const exit of config.exits) {
    if (!exits.includes(exit.layer)) continue;
    folded.set(exit.layer, foldExitShift(await foldExit(checkpoint, exit), norms[exit.layer]!));
  }
  return { embeddings, layers, exits: folded };
}
