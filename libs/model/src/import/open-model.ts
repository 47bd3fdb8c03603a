import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { CheckpointError } from '../checkpoint/checkpoint-config.js';
import { openBitvoyage } from './bitvoyage.js';
import { openHuggingFace } from './huggingface.js';
import { findModelFiles } from './model-files.js';
import { openSluiceLayout } from './sluice-layout.js';
import { openUer } from './uer.js';

/** Each opens what is of its format, and leaves the rest to the next. */
const formats = [openSluiceLayout, openBitvoyage, openUer, openHuggingFace];

/** What is there is of no format that can be read. */
export class UnknownFormatError extends CheckpointError {}

/**
 * Opens a model of any format that can be read.
 * @param path a directory, or a weight file beside which the other files lie
 * @throws UnknownFormatError, CheckpointError, SafetensorsError, TorchFileError
 */
export async function openModel(path: string): Promise<Checkpoint> {
  const files = await findModelFiles(path);
  for (const open of formats) {
    const checkpoint = await open(files);
    if (checkpoint !== undefined) return checkpoint;
  }
  throw new UnknownFormatError(
    path,
    `not a checkpoint: config.json is expected beside model.safetensors or pytorch_model.bin, or a .bin of FastBERT beside its configuration and vocabulary; found ${files.names.slice(0, 20).join(', ') || 'nothing'}.`,
  );
}
