import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import type { LinearWriter } from './linear-writer.js';

/** Floats in the widest vector register, AVX-512's. */
const LANES = 16;

/**
 * LayerNorm without shift: gain ⊙ (x − mean) ÷ √(variance + epsilon) over the last axis, `[n,S,H]` to `[n,S,H]`.
 *
 * ONNX Runtime's LayerNormalization works number by number on the CPU; InstanceNormalization over one channel is the same
 * function, vectorised, in a sixth of the time. But it adds lane by lane from aligned addresses on, so that its last bit
 * would depend on where a token stands in memory if tokens did not all start aligned: other widths, and float16, which
 * runs on a GPU, take the plain operator.
 */
export function writeNorm(
  graph: GraphBuilder,
  linears: LinearWriter,
  x: Value,
  gain: Float32Array,
  epsilon: number,
): Value {
  const hiddenSize = gain.length;
  const gains = linears.floats(gain, [hiddenSize]);
  if (linears.float === 'float16' || hiddenSize % LANES !== 0) {
    return graph.node('LayerNormalization', [x, gains], { epsilon });
  }
  const tokens = graph.node('Reshape', [x, graph.int64([-1, 1, hiddenSize])]);
  const normalised = graph.node(
    'InstanceNormalization',
    [
      tokens,
      graph.constant(Float32Array.of(1), [1], 'float32'),
      graph.constant(Float32Array.of(0), [1], 'float32'),
    ],
    { epsilon },
  );
  return graph.node('Mul', [graph.node('Reshape', [normalised, graph.node('Shape', [x])]), gains]);
}
