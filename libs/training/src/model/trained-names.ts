import type { CheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import { layoutTensors } from '#model/checkpoint/layout-tensors.js';

/** Tensors of the encoder, in the order of the checkpoint layout. */
export function encoderNames(config: CheckpointConfig): string[] {
  return layoutTensors(config)
    .map(({ name }) => name)
    .filter((name) => name.startsWith('bert.'));
}

/** Tensors of some exits that a loss depends on: not the keys' biases, which softmax cancels. */
export function exitNames(config: CheckpointConfig, layers: readonly number[]): string[] {
  return layoutTensors(config)
    .map(({ name }) => name)
    .filter((name) => layers.some((layer) => name.startsWith(`exits.${layer}.`)))
    .filter((name) => !name.endsWith('.key.bias'));
}
