/** Small checkpoints with random weights, the same for the same shape and seed. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredTensor } from './safetensors-file.js';
import { float32Tensor, safetensorsFile } from './safetensors-file.js';

export interface RandomExit {
  readonly layer: number;
  readonly kind: 'fastbert' | 'bitvoyage' | 'pooler';
  readonly size?: number;
  readonly heads?: number;
  readonly activation?: 'tanh' | 'gelu' | 'relu';
}

export interface CheckpointShape {
  readonly seed: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediateSize: number;
  readonly classes: number;
  readonly exits: readonly RandomExit[];
  readonly task?: 'single' | 'pair';
  readonly activation?: 'gelu' | 'gelu_new' | 'relu' | 'silu';
  readonly layerNormForm?: 'standard' | 'unbiased';
  /** Of the tables, where a linear layer takes them to the hidden size. */
  readonly embeddingSize?: number;
  /** 2 unless told; 0 for a model without. */
  readonly segments?: number;
  readonly problem?: 'single-label' | 'multi-label' | 'regression';
  readonly uncertaintyTop?: number;
}

const problemTypes = {
  'single-label': 'single_label_classification',
  'multi-label': 'multi_label_classification',
  regression: 'regression',
};

/** The vocabulary: special tokens, then one-letter words, so that a text of n letters has n + 2 tokens. */
export const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'.split('');
const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...letters];
export const vocabularySize = vocabulary.length;
const POSITIONS = 130;

/** Three layers of width 32 with an exit everywhere, unless told otherwise. */
export function checkpointShape(shape: Partial<CheckpointShape> = {}): CheckpointShape {
  const layers = shape.layers ?? 3;
  const exits = Array.from({ length: layers + 1 }, (_, layer): RandomExit => ({
    layer,
    kind: 'fastbert',
    size: 16,
    heads: 2,
  }));
  return { seed: 1, hiddenSize: 32, layers, heads: 4, intermediateSize: 64, classes: 3, exits, ...shape };
}

/** Uniform numbers in 0..1 of a seed: Marsaglia's xorshift32. */
export function randomNumbers(seed: number): () => number {
  let state = (seed * 2_654_435_769) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** A text of `length` tokens, the two special ones included. */
export function randomText(random: () => number, length: number): string {
  return Array.from({ length: length - 2 }, () => letters[Math.floor(random() * letters.length)]!).join(' ');
}

export function configJson(shape: CheckpointShape): Record<string, unknown> {
  return {
    model_type: 'bert',
    vocab_size: vocabularySize,
    hidden_size: shape.hiddenSize,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    intermediate_size: shape.intermediateSize,
    max_position_embeddings: POSITIONS,
    layer_norm_eps: 1e-12,
    ...(shape.activation && { hidden_act: shape.activation }),
    ...(shape.layerNormForm && { layer_norm_form: shape.layerNormForm }),
    ...(shape.embeddingSize && { embedding_size: shape.embeddingSize }),
    ...(shape.segments !== undefined && { type_vocab_size: shape.segments }),
    ...(shape.problem && { problem_type: problemTypes[shape.problem] }),
    sluice: {
      labels: Array.from({ length: shape.classes }, (_, index) => `class-${index}`),
      task: shape.task ?? 'single',
      maxLength: POSITIONS,
      specialTokens: 'cls-sep',
      exits: shape.exits,
      ...(shape.uncertaintyTop && { uncertaintyTop: shape.uncertaintyTop }),
    },
  };
}

export function randomTensors(shape: CheckpointShape): Map<string, StoredTensor> {
  const random = randomNumbers(shape.seed);
  const tensors = new Map<string, StoredTensor>();
  const { hiddenSize: hidden, intermediateSize, classes, segments = 2 } = shape;
  const embedded = shape.embeddingSize ?? hidden;
  const add = (name: string, dims: readonly number[], amplitude: number, centre = 0): void => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const values = Float32Array.from({ length: size }, () => centre + amplitude * (2 * random() - 1));
    tensors.set(name, float32Tensor(dims, values));
  };
  const linear = (name: string, inputs: number, outputs: number, gain = 1): void => {
    add(`${name}.weight`, [outputs, inputs], gain * Math.sqrt(3 / inputs));
    add(`${name}.bias`, [outputs], 0.2);
  };
  const norm = (name: string, width = hidden): void => {
    add(`${name}.weight`, [width], 0.2, 1);
    add(`${name}.bias`, [width], 0.2);
  };
  add('bert.embeddings.word_embeddings.weight', [vocabularySize, embedded], 1);
  add('bert.embeddings.position_embeddings.weight', [POSITIONS, embedded], 0.3);
  if (segments > 0) add('bert.embeddings.token_type_embeddings.weight', [segments, embedded], 0.3);
  norm('bert.embeddings.LayerNorm', embedded);
  if (shape.embeddingSize) linear('bert.embeddings_project', embedded, hidden);
  for (let layer = 0; layer < shape.layers; layer++) {
    const prefix = `bert.encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) linear(`${prefix}.attention.self.${part}`, hidden, hidden);
    linear(`${prefix}.attention.output.dense`, hidden, hidden);
    norm(`${prefix}.attention.output.LayerNorm`);
    linear(`${prefix}.intermediate.dense`, hidden, intermediateSize);
    linear(`${prefix}.output.dense`, intermediateSize, hidden);
    norm(`${prefix}.output.LayerNorm`);
  }
  for (const { layer, kind, size = hidden } of shape.exits) {
    const prefix = `exits.${layer}`;
    if (kind === 'pooler') linear(`${prefix}.pooler`, hidden, hidden);
    else {
      linear(`${prefix}.narrow`, hidden, size);
      for (const part of ['query', 'key', 'value', ...(kind === 'fastbert' ? ['output'] : []), 'hidden']) {
        linear(`${prefix}.${part}`, size, size, 1.5);
      }
    }
    linear(`${prefix}.logits`, size, classes, 3);
  }
  return tensors;
}

/** Writes config.json, model.safetensors and vocab.txt; `change` may alter the tensors before. */
export async function writeRandomCheckpoint(
  directory: string,
  shape: CheckpointShape,
  change?: (tensors: Map<string, StoredTensor>) => void,
): Promise<void> {
  const tensors = randomTensors(shape);
  change?.(tensors);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'config.json'), JSON.stringify(configJson(shape)));
  await writeFile(join(directory, 'model.safetensors'), safetensorsFile(tensors));
  await writeFile(join(directory, 'vocab.txt'), vocabulary.map((token) => `${token}\n`).join(''));
}
