import { join } from 'node:path';
import { CheckpointError } from './checkpoint-config.js';
import { Safetensors } from './safetensors.js';
import type { TensorSource } from './tensor-source.js';

/** Opens the weights of a directory. @throws CheckpointError where there are none, SafetensorsError */
export async function openWeights(directory: string): Promise<TensorSource> {
  try {
    return await Safetensors.open(join(directory, 'model.safetensors'));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new CheckpointError(directory, 'not a checkpoint: there is no model.safetensors.');
  }
}
