import type { Checkpoint } from './checkpoint.js';

/** y = x·weight + bias, the weight laid out as matmul wants it. */
export interface Linear {
  /** `[inputs, outputs]`. */
  readonly weight: Float32Array;
  /** `[outputs]`. */
  readonly bias: Float32Array;
  readonly inputs: number;
  readonly outputs: number;
}

export interface LayerNorm {
  /** `[hidden size]`. */
  readonly weight: Float32Array;
  /** `[hidden size]`. */
  readonly bias: Float32Array;
}

/** E is the width of the embeddings, most often the hidden size. */
export interface EmbeddingWeights {
  /** `[vocabulary, E]`. */
  readonly word: Float32Array;
  /** `[positions, E]`. */
  readonly position: Float32Array;
  /** `[segments, E]`; empty where the model has none. */
  readonly segment: Float32Array;
  readonly norm: LayerNorm;
  /** From E to the hidden size, behind the norm; `undefined` where they are the same. */
  readonly projection: Linear | undefined;
}

export interface LayerWeights {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly attentionOutput: Linear;
  readonly attentionNorm: LayerNorm;
  readonly intermediate: Linear;
  readonly output: Linear;
  readonly outputNorm: LayerNorm;
}

export async function readEmbeddings(checkpoint: Checkpoint): Promise<EmbeddingWeights> {
  const { vocabSize, hiddenSize, embeddingSize, maxPositions, segments } = checkpoint.config.geometry;
  const table = (name: string, rows: number): Promise<Float32Array> =>
    checkpoint.encoder(`embeddings.${name}_embeddings.weight`, [rows, embeddingSize]);
  return {
    word: await table('word', vocabSize),
    position: await table('position', maxPositions),
    segment: segments === 0 ? new Float32Array(0) : await table('token_type', segments),
    norm: await readNorm(checkpoint, 'embeddings.LayerNorm', embeddingSize),
    projection:
      embeddingSize === hiddenSize
        ? undefined
        : await readLinear(
            (part, shape) => checkpoint.encoder(`embeddings_project.${part}`, shape),
            embeddingSize,
            hiddenSize,
          ),
  };
}

/** @param layer from 1 */
export async function readLayer(checkpoint: Checkpoint, layer: number): Promise<LayerWeights> {
  const { hiddenSize: hidden, intermediateSize } = checkpoint.config.geometry;
  const prefix = `encoder.layer.${layer - 1}`;
  const linear = (name: string, inputs: number, outputs: number): Promise<Linear> =>
    readLinear((part, shape) => checkpoint.encoder(`${prefix}.${name}.${part}`, shape), inputs, outputs);
  return {
    query: await linear('attention.self.query', hidden, hidden),
    key: await linear('attention.self.key', hidden, hidden),
    value: await linear('attention.self.value', hidden, hidden),
    attentionOutput: await linear('attention.output.dense', hidden, hidden),
    attentionNorm: await readNorm(checkpoint, `${prefix}.attention.output.LayerNorm`, hidden),
    intermediate: await linear('intermediate.dense', hidden, intermediateSize),
    output: await linear('output.dense', intermediateSize, hidden),
    outputNorm: await readNorm(checkpoint, `${prefix}.output.LayerNorm`, hidden),
  };
}

/** Reads one part of an exit. @param layer of the exit */
export function readExitLinear(
  checkpoint: Checkpoint,
  layer: number,
  name: string,
  inputs: number,
  outputs: number,
): Promise<Linear> {
  return readLinear((part, shape) => checkpoint.exit(layer, `${name}.${part}`, shape), inputs, outputs);
}

async function readLinear(
  read: (part: string, shape: readonly number[]) => Promise<Float32Array>,
  inputs: number,
  outputs: number,
): Promise<Linear> {
  const stored = await read('weight', [outputs, inputs]);
  return {
    weight: transposed(stored, outputs, inputs),
    bias: await read('bias', [outputs]),
    inputs,
    outputs,
  };
}

async function readNorm(checkpoint: Checkpoint, name: string, size: number): Promise<LayerNorm> {
  return {
    weight: await checkpoint.encoder(`${name}.weight`, [size]),
    bias: await checkpoint.encoder(`${name}.bias`, [size]),
  };
}

/** `[rows, columns]` to `[columns, rows]`. */
function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = matrix[row * columns + column]!;
    }
  }
  return result;
}
