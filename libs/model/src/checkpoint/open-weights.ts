import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openRegularFile, RegularFileError } from '#pipeline/regular-file.js';
import { LEGACY_START, ZIP_START } from '../torch/read-container.js';
import { TorchFile } from '../torch/torch-file.js';
import { CheckpointError } from './checkpoint-config.js';
import { Safetensors } from './safetensors.js';
import { ShardedTensors } from './sharded-tensors.js';
import type { TensorSource } from './tensor-source.js';

/** Of Hugging Face's directories, in the order in which they are preferred. */
const weightFiles = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

/** A pointer to the weights: `version https://git-lfs…`. */
const LFS_START = Buffer.from('version https:');

/**
 * Opens the weights of a directory.
 * @throws CheckpointError where there are none, and what `openWeightsFile` throws
 */
export async function openWeights(directory: string): Promise<TensorSource> {
  const found = weightFiles.find((name) => existsSync(join(directory, name)));
  if (found !== undefined) return openWeightsFile(join(directory, found));
  throw new CheckpointError(
    directory,
    `not a checkpoint: weights are expected in ${weightFiles.join(', ')}; there are none of these.`,
  );
}

/**
 * Opens a weight file, or an index of several, by what it holds: safetensors, or a file of torch.
 * @throws CheckpointError, SafetensorsError, TorchFileError, and the system's error where it cannot be opened
 */
export async function openWeightsFile(path: string): Promise<TensorSource> {
  return path.endsWith('.index.json') ? ShardedTensors.open(path, openOneFile) : openOneFile(path);
}

async function openOneFile(path: string): Promise<TensorSource> {
  const start = await startOf(path);
  if (start.indexOf(ZIP_START) === 0 || start.equals(LEGACY_START)) return TorchFile.open(path);
  if (start.indexOf(LFS_START) === 0) {
    throw new CheckpointError(
      path,
      'is a pointer of Git LFS, not the weights: fetch them with git lfs pull.',
    );
  }
  if (path.endsWith('.safetensors') || start[8] === '{'.codePointAt(0)) return Safetensors.open(path);
  throw new CheckpointError(path, 'neither a safetensors file nor one of torch (zip or legacy container).');
}

/** The first bytes, which tell the format. */
async function startOf(path: string): Promise<Buffer> {
  const start = Buffer.alloc(LEGACY_START.length);
  const file = await openRegularFile(path).catch((error: unknown) => {
    throw error instanceof RegularFileError ? new CheckpointError(path, `${error.message}.`) : error;
  });
  try {
    const { bytesRead } = await file.read(start, 0, start.length, 0);
    return start.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
