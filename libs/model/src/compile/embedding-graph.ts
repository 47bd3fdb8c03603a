import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { dataTypes } from '../onnx/graph-builder.js';
import type { FoldedEmbeddings } from './fold-norm.js';
import type { LinearWriter } from './linear-writer.js';
import { writeNorm } from './norm-graph.js';
import { quantiseTable } from './quantise-table.js';

/**
 * Writes the embeddings and their norm, and the inputs `ids [B,S]` and for pairs `segments [B,S]`, both int32; a model of
 * one segment or none has no use for the latter.
 * @param bytes the word table in signed bytes with a scale for each word: a quarter of the memory
 * @returns `[B,S,H]`, before the embeddings' shift
 */
export function writeEmbeddings(
  graph: GraphBuilder,
  linears: LinearWriter,
  { word, position, segment, gain, projection }: FoldedEmbeddings,
  { task, geometry }: CheckpointConfig,
  bytes: boolean,
): Value {
  const { vocabSize, embeddingSize, maxPositions, segments } = geometry;
  const ids = graph.input('ids', 'int32', ['B', 'S']);
  const words = bytes
    ? bytesOfWords(graph, word, ids, embeddingSize)
    : graph.node('Gather', [linears.floats(word, [vocabSize, embeddingSize]), ids], { axis: { int: 0 } });
  const pair = task === 'pair' && segments > 1;
  const positions = pair || segments === 0 ? position : withSegmentZero(position, segment, embeddingSize);
  let sum = graph.node('Add', [
    words,
    firstPositions(graph, linears.floats(positions, [maxPositions, embeddingSize]), ids),
  ]);
  if (pair) {
    const table = linears.floats(segment, [segments, embeddingSize]);
    const input = graph.input('segments', 'int32', ['B', 'S']);
    sum = graph.node('Add', [sum, graph.node('Gather', [table, input], { axis: { int: 0 } })]);
  }
  const normalised = writeNorm(graph, linears, sum, gain, geometry);
  return projection === undefined ? normalised : linears.floatMatmul(normalised, projection);
}

function bytesOfWords(graph: GraphBuilder, word: Float32Array, ids: Value, width: number): Value {
  const { values, scales } = quantiseTable(word, width);
  const table = graph.constant(values, [scales.length, width], 'int8');
  const bytes = graph.node('Gather', [table, ids], { axis: { int: 0 } });
  const floats = graph.node('Cast', [bytes], { to: { int: dataTypes.float32 } });
  const scale = graph.node('Gather', [graph.constant(scales, [scales.length, 1], 'float32'), ids], {
    axis: { int: 0 },
  });
  return graph.node('Mul', [floats, scale]);
}

/** Rows 0 to S of the position table. */
function firstPositions(graph: GraphBuilder, table: Value, ids: Value): Value {
  const length = graph.node('Gather', [graph.node('Shape', [ids]), graph.int64([1])], { axis: { int: 0 } });
  return graph.node('Slice', [table, graph.int64([0]), length, graph.int64([0])]);
}

/** A single text is all segment 0, so its embedding joins the positions'. */
function withSegmentZero(position: Float32Array, segment: Float32Array, width: number): Float32Array {
  return position.map((value, index) => value + segment[index % width]!);
}
