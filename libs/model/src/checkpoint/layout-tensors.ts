import type { CheckpointConfig } from './checkpoint-config.js';
import type { Exit } from './exit.js';

/** A tensor of the checkpoint layout. */
export interface LayoutTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** All tensors that a checkpoint of this configuration has, in the order in which they are written. */
export function layoutTensors(config: CheckpointConfig): LayoutTensor[] {
  const { layers } = config.geometry;
  return [
    ...embeddingTensors(config),
    ...Array.from({ length: layers }, (_, index) => layerTensors(config, index)).flat(),
    ...config.exits.flatMap((exit) => exitTensors(config, exit)),
  ];
}

function embeddingTensors({ geometry }: CheckpointConfig): LayoutTensor[] {
  const { vocabSize, hiddenSize, embeddingSize, maxPositions, segments } = geometry;
  const table = (name: string, rows: number): LayoutTensor => ({
    name: `bert.embeddings.${name}_embeddings.weight`,
    shape: [rows, embeddingSize],
  });
  return [
    table('word', vocabSize),
    table('position', maxPositions),
    ...(segments === 0 ? [] : [table('token_type', segments)]),
    ...normTensors('bert.embeddings.LayerNorm', embeddingSize),
    ...(embeddingSize === hiddenSize
      ? []
      : linearTensors('bert.embeddings_project', embeddingSize, hiddenSize)),
  ];
}

/** @param index of the layer, from 0 */
function layerTensors({ geometry }: CheckpointConfig, index: number): LayoutTensor[] {
  const { hiddenSize: hidden, intermediateSize } = geometry;
  const prefix = `bert.encoder.layer.${index}`;
  return [
    ...linearTensors(`${prefix}.attention.self.query`, hidden, hidden),
    ...linearTensors(`${prefix}.attention.self.key`, hidden, hidden),
    ...linearTensors(`${prefix}.attention.self.value`, hidden, hidden),
    ...linearTensors(`${prefix}.attention.output.dense`, hidden, hidden),
    ...normTensors(`${prefix}.attention.output.LayerNorm`, hidden),
    ...linearTensors(`${prefix}.intermediate.dense`, hidden, intermediateSize),
    ...linearTensors(`${prefix}.output.dense`, intermediateSize, hidden),
    ...normTensors(`${prefix}.output.LayerNorm`, hidden),
  ];
}

function exitTensors({ geometry, labels }: CheckpointConfig, exit: Exit): LayoutTensor[] {
  const { hiddenSize } = geometry;
  const linear = (part: string, inputs: number, outputs: number): LayoutTensor[] =>
    linearTensors(`exits.${exit.layer}.${part}`, inputs, outputs);
  if (exit.kind === 'pooler') {
    return [...linear('pooler', hiddenSize, hiddenSize), ...linear('logits', hiddenSize, labels.length)];
  }
  const { size } = exit;
  const inner =
    exit.kind === 'fastbert'
      ? ['query', 'key', 'value', 'output', 'hidden']
      : ['query', 'key', 'value', 'hidden'];
  return [
    ...linear('narrow', hiddenSize, size),
    ...inner.flatMap((part) => linear(part, size, size)),
    ...linear('logits', size, labels.length),
  ];
}

function linearTensors(name: string, inputs: number, outputs: number): LayoutTensor[] {
  return [
    { name: `${name}.weight`, shape: [outputs, inputs] },
    { name: `${name}.bias`, shape: [outputs] },
  ];
}

function normTensors(name: string, size: number): LayoutTensor[] {
  return [
    { name: `${name}.weight`, shape: [size] },
    { name: `${name}.bias`, shape: [size] },
  ];
}
