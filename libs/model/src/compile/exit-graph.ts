import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { Linear } from '../checkpoint/weights.js';
import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { dataTypes, MICROSOFT } from '../onnx/graph-builder.js';
import { writeAnswer } from './answer-graph.js';
import type { FoldedBitvoyageExit } from './fold-bitvoyage-exit.js';
import type { FoldedExit, FoldedFastbertExit, PoolerExit } from './fold-exit.js';
import type { LinearWriter } from './linear-writer.js';

/**
 * Writes an exit and its outputs.
 * @param hidden `[n,S,H]`
 * @param rows `[n]` int32
 * @returns the uncertainty `[n]`
 */
export function writeExit(
  graph: GraphBuilder,
  linears: LinearWriter,
  config: Pick<CheckpointConfig, 'problem' | 'labels' | 'uncertaintyTop'>,
  exit: FoldedExit,
  hidden: Value,
  rows: Value,
): Value {
  const { features, last } = exitFeatures(graph, linears, exit, hidden);
  const raw = linears.floatLinear(features, last);
  const logits =
    linears.float === 'float32' ? raw : graph.node('Cast', [raw], { to: { int: dataTypes.float32 } });
  const { probabilities, uncertainty } = writeAnswer(graph, logits, config);
  graph.output(`rows_${exit.layer}`, rows, 'int32', [`n_${exit.layer}`]);
  graph.output(`probabilities_${exit.layer}`, probabilities, 'float32', [`n_${exit.layer}`, last.outputs]);
  graph.output(`uncertainty_${exit.layer}`, uncertainty, 'float32', [`n_${exit.layer}`]);
  return uncertainty;
}

/** `[n,S,H]` to what the exit's last linear, which gives the logits, reads. */
function exitFeatures(
  graph: GraphBuilder,
  linears: LinearWriter,
  exit: FoldedExit,
  hidden: Value,
): { features: Value; last: Linear } {
  switch (exit.kind) {
    case 'pooler':
      return { features: poolerFeatures(graph, linears, exit, hidden), last: exit.logits };
    case 'fastbert':
      return { features: fastbertFeatures(graph, linears, exit, hidden), last: exit.logits };
    case 'bitvoyage':
      return { features: bitvoyageFeatures(graph, linears, exit, hidden), last: exit.answer };
  }
}

/** `[n,S,H]` to `[n,H]`. */
function poolerFeatures(
  graph: GraphBuilder,
  linears: LinearWriter,
  { pooler, activation }: PoolerExit,
  hidden: Value,
): Value {
  const first = graph.node('Gather', [hidden, graph.int32(0)], { axis: { int: 1 } });
  const pooled = linears.floatLinear(first, pooler);
  switch (activation) {
    case 'tanh':
      return graph.node('Tanh', [pooled]);
    case 'relu':
      return graph.node('Relu', [pooled]);
    case 'gelu':
      return graph.node('Gelu', [pooled], {}, MICROSOFT);
  }
}

/** `[n,S,H]` to `[n,heads × H]`; the formulas stand in fold-bitvoyage-exit.ts. */
function bitvoyageFeatures(
  graph: GraphBuilder,
  linears: LinearWriter,
  { size, heads, ask, keys }: FoldedBitvoyageExit,
  hidden: Value,
): Value {
  const [hiddenSize, width] = [ask.inputs, size / heads];
  const first = graph.node('Gather', [hidden, graph.int32(0)], { axis: { int: 1 } });
  const query = linears.floatLinear(first, ask);
  const parts = heads === 1 ? [query] : graph.nodes('Split', [query], heads, { axis: { int: 1 } });
  // A matmul for each head, because one over all of them takes another kernel for a lone row than for many.
  const perHead = parts.map((part, head) => {
    const own = keys.subarray(head * width * hiddenSize, (head + 1) * width * hiddenSize);
    return graph.node('MatMul', [part, linears.floats(own, [width, hiddenSize])]);
  });
  const flat = graph.node('Concat', perHead, { axis: { int: 1 } });
  const asked = graph.node('Reshape', [flat, graph.int64([0, heads, hiddenSize])]);
  const scores = graph.node(
    'FusedMatMul',
    [asked, hidden],
    { alpha: 1, transA: { int: 0 }, transB: { int: 1 } },
    MICROSOFT,
  );
  const attended = graph.node('MatMul', [graph.node('Softmax', [scores], { axis: { int: 2 } }), hidden]);
  return graph.node('Reshape', [attended, graph.int64([0, heads * hiddenSize])]);
}

/** `[n,S,H]` to `[n,size]`; the formulas stand in fold-exit.ts. */
function fastbertFeatures(
  graph: GraphBuilder,
  linears: LinearWriter,
  exit: FoldedFastbertExit,
  hidden: Value,
): Value {
  const { layer, size, heads } = exit;
  const z = graph.node('Tanh', [
    linears.linear(hidden, `hidden.${layer}`, `exit.${layer}.narrow`, exit.narrow),
  ]);
  const first = graph.node('Gather', [z, graph.int32(0)], { axis: { int: 1 } });
  const ask = graph.node('Reshape', [linears.floatLinear(first, exit.ask), graph.int64([0, heads, size])]);
  const scores = graph.node(
    'FusedMatMul',
    [ask, z],
    { alpha: 1, transA: { int: 0 }, transB: { int: 1 } },
    MICROSOFT,
  );
  const attended = graph.node('MatMul', [graph.node('Softmax', [scores], { axis: { int: 2 } }), z]);
  const flat = graph.node('Reshape', [attended, graph.int64([0, heads * size])]);
  return graph.node('Tanh', [linears.floatLinear(flat, exit.answer)]);
}
