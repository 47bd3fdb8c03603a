import type { LayerNorm, LayerWeights, Linear } from '../checkpoint/weights.js';
import type { FoldedExit } from './fold-exit.js';

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

/** @param before the norm whose output the layer reads */
export function foldLayer(layer: LayerWeights, before: LayerNorm): FoldedLayer {
  return {
    query: foldShift(before, layer.query),
    key: foldShift(before, layer.key),
    value: foldShift(before, layer.value),
    attentionOutput: withShift(layer.attentionOutput, before),
    attendedGain: layer.attentionNorm.weight,
    intermediate: foldShift(layer.attentionNorm, layer.intermediate),
    output: withShift(layer.output, layer.attentionNorm),
    outputGain: layer.outputNorm.weight,
  };
}

/** @param before the norm whose output the exit reads */
export function foldExitShift(exit: FoldedExit, before: LayerNorm): FoldedExit {
  switch (exit.kind) {
    case 'fastbert':
      return { ...exit, narrow: foldShift(before, exit.narrow) };
    case 'pooler':
      return { ...exit, pooler: foldShift(before, exit.pooler) };
  }
}

/** The linear of v that equals `linear` of v + shift; sums in double precision. */
export function foldShift({ bias: shift }: LayerNorm, linear: Linear): Linear {
  const { inputs, outputs } = linear;
  const bias = Float64Array.from(linear.bias);
  for (let row = 0; row < inputs; row++) {
    for (let column = 0; column < outputs; column++) {
      bias[column] = bias[column]! + linear.weight[row * outputs + column]! * shift[row]!;
    }
  }
  return { ...linear, bias: Float32Array.from(bias) };
}

function withShift(linear: Linear, { bias: shift }: LayerNorm): Linear {
  return { ...linear, bias: linear.bias.map((value, index) => value + shift[index]!) };
}
