import type { EmbeddingWeights, LayerWeights, Linear } from '../checkpoint/weights.js';
import type { FoldedExit } from './fold-exit.js';

/**
 * Embeddings whose last shift, that of their norm or what the projection makes of it, is left to all that read them.
 * E is the width of the embeddings.
 */
export interface FoldedEmbeddings {
  /** `[vocabulary, E]`. */
  readonly word: Float32Array;
  /** `[positions, E]`. */
  readonly position: Float32Array;
  /** `[segments, E]`. */
  readonly segment: Float32Array;
  /** Of the norm, `[E]`. */
  readonly gain: Float32Array;
  /** From E to the hidden size; its bias is part of `shift`. */
  readonly projection: Linear | undefined;
  /** `[hidden size]`. */
  readonly shift: Float32Array;
}

/**
 * A layer that reads and writes hidden states as their norm leaves them before its shift, gain ⊙ (v − mean) ÷ deviation:
 * the shift of a LayerNorm is folded into the biases of all that read it.
 */
export interface FoldedLayer {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  /** Its bias holds the shift of the first residual too. */
  readonly attentionOutput: Linear;
  /** Of the norm behind the attention, `[hidden size]`. */
  readonly attendedGain: Float32Array;
  readonly intermediate: Linear;
  /** Its bias holds the shift of the second residual too. */
  readonly output: Linear;
  /** Of the norm behind the layer, `[hidden size]`. */
  readonly outputGain: Float32Array;
}

export function foldEmbeddings({ norm, projection, ...tables }: EmbeddingWeights): FoldedEmbeddings {
  return {
    ...tables,
    gain: norm.weight,
    projection,
    shift: projection === undefined ? norm.bias : foldShift(norm.bias, projection).bias,
  };
}

/** @param shift that is left to the layer by what it reads, `[hidden size]` */
export function foldLayer(layer: LayerWeights, shift: Float32Array): FoldedLayer {
  const { attentionNorm, outputNorm } = layer;
  return {
    query: foldShift(shift, layer.query),
    key: foldShift(shift, layer.key),
    value: foldShift(shift, layer.value),
    attentionOutput: withShift(layer.attentionOutput, shift),
    attendedGain: attentionNorm.weight,
    intermediate: foldShift(attentionNorm.bias, layer.intermediate),
    output: withShift(layer.output, attentionNorm.bias),
    outputGain: outputNorm.weight,
  };
}

/** @param shift that is left to the exit by what it reads, `[hidden size]` */
export function foldExitShift(exit: FoldedExit, shift: Float32Array): FoldedExit {
  switch (exit.kind) {
    case 'fastbert':
      return { ...exit, narrow: foldShift(shift, exit.narrow) };
    case 'bitvoyage':
      // Scores of all tokens move by the same amount, which the softmax cancels; the weights of tokens sum to 1.
      return {
        ...exit,
        ask: foldShift(shift, exit.ask),
        answer: foldShift(repeated(shift, exit.heads), exit.answer),
      };
    case 'pooler':
      return { ...exit, pooler: foldShift(shift, exit.pooler) };
  }
}

/** The linear of v that equals `linear` of v + shift; sums in double precision. */
export function foldShift(shift: Float32Array, linear: Linear): Linear {
  const { inputs, outputs } = linear;
  const bias = Float64Array.from(linear.bias);
  for (let row = 0; row < inputs; row++) {
    for (let column = 0; column < outputs; column++) {
      bias[column] = bias[column]! + linear.weight[row * outputs + column]! * shift[row]!;
    }
  }
  return { ...linear, bias: Float32Array.from(bias) };
}

function withShift(linear: Linear, shift: Float32Array): Linear {
  return { ...linear, bias: linear.bias.map((value, index) => value + shift[index]!) };
}

function repeated(values: Float32Array, times: number): Float32Array {
  return Float32Array.from({ length: values.length * times }, (_, index) => values[index % values.length]!);
}
