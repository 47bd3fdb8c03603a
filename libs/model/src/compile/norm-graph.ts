import type { Geometry } from '../checkpoint/checkpoint-config.js';
import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import type { LinearWriter } from './linear-writer.js';

/** Floats in the widest vector register, AVX-512's. */
const LANES = 16;

/** Far below the variance of any hidden state, and not 0, so that equal numbers give 0 and not NaN. */
const TINY_VARIANCE = 1e-20;

/** LayerNorm without shift, over the last axis: `[n,S,H]` to `[n,S,H]`. */
export function writeNorm(
  graph: GraphBuilder,
  linears: LinearWriter,
  x: Value,
  gain: Float32Array,
  { layerNormForm, layerNormEps }: Pick<Geometry, 'layerNormForm' | 'layerNormEps'>,
): Value {
  const gains = linears.floats(gain, [gain.length]);
  return layerNormForm === 'standard'
    ? writeStandardNorm(graph, linears, x, gains, gain.length, layerNormEps)
    : writeUnbiasedNorm(graph, linears, x, gains, gain.length, layerNormEps);
}

/**
 * gain ⊙ (x − mean) ÷ √(variance + epsilon).
 *
 * ONNX Runtime's LayerNormalization works number by number on the CPU; InstanceNormalization over one channel is the same
 * function, vectorised, in a sixth of the time. But it adds lane by lane from aligned addresses on, so that its last bit
 * would depend on where a token stands in memory if tokens did not all start aligned: other widths, and float16, which
 * runs on a GPU, take the plain operator.
 */
function writeStandardNorm(
  graph: GraphBuilder,
  linears: LinearWriter,
  x: Value,
  gains: Value,
  width: number,
  epsilon: number,
): Value {
  if (linears.float === 'float16' || width % LANES !== 0) {
    return graph.node('LayerNormalization', [x, gains], { epsilon });
  }
  const tokens = graph.node('Reshape', [x, graph.int64([-1, 1, width])]);
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

/**
 * gain ⊙ (x − mean) ÷ (d + epsilon), d the deviation over n − 1. With y = (x − mean) ÷ σ, the standard norm's, the mean
 * of x ⊙ y is σ, for y adds up to 0; d is σ √(n ÷ (n − 1)). So the result is y ⊙ σ ÷ (d + epsilon).
 */
function writeUnbiasedNorm(
  graph: GraphBuilder,
  linears: LinearWriter,
  x: Value,
  gains: Value,
  width: number,
  epsilon: number,
): Value {
  const ones = linears.floats(new Float32Array(width).fill(1), [width]);
  const y = writeStandardNorm(graph, linears, x, ones, width, TINY_VARIANCE);
  const mean = linears.floats(new Float32Array(width).fill(1 / width), [width, 1]);
  const sigma = graph.node('MatMul', [graph.node('Mul', [x, y]), mean]);
  const deviation = graph.node('Mul', [
    sigma,
    linears.floats(Float32Array.of(Math.sqrt(width / (width - 1))), []),
  ]);
  const factor = graph.node('Div', [
    sigma,
    graph.node('Add', [deviation, linears.floats(Float32Array.of(epsilon), [])]),
  ]);
  return graph.node('Mul', [graph.node('Mul', [y, factor]), gains]);
}
