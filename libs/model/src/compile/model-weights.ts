import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { readEmbeddings, readLayer } from '../checkpoint/weights.js';
import type { FoldedExit } from './fold-exit.js';
import { foldExit } from './fold-exit.js';
import { foldEmbeddings, foldExitShift, foldLayer } from './fold-norm.js';
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
  const embeddings = foldEmbeddings(await readEmbeddings(checkpoint));
  /** What layer N + 1 and the exit after layer N must add to what they read. */
  const shifts = [embeddings.shift];
  const layers = [];
  for (let layer = 1; layer <= config.geometry.layers; layer++) {
    const weights = await readLayer(checkpoint, layer);
    layers.push(foldLayer(weights, shifts.at(-1)!));
    shifts.push(weights.outputNorm.bias);
  }
  const folded = new Map<number, FoldedExit>();
  for (const exit of config.exits) {
    if (!exits.includes(exit.layer)) continue;
    folded.set(exit.layer, foldExitShift(await foldExit(checkpoint, exit), shifts[exit.layer]!));
  }
  return { embeddings, layers, exits: folded, shifts };
}
