import type { Value } from '#model/onnx/graph-builder.js';
import { GraphBuilder, MICROSOFT } from '#model/onnx/graph-builder.js';

/** How the matmuls compute: in float; quantising their input first; or from bytes that are there already. */
export type RoofKind = 'fp32' | 'int8' | 'int8-bytes';

export interface RoofShape {
  readonly layers: number;
  /** H. */
  readonly hiddenSize: number;
  /** I. */
  readonly intermediateSize: number;
}

/** One linear map of a layer. */
export interface RoofMatmul {
  readonly input: 'narrow' | 'wide';
  /** Scale of the quantised input; each its own, so that no two can share their QuantizeLinear. */
  readonly inputScale: number;
  /** Weights of its last output, `[inputs]`: enough to compute one number of its result again. */
  readonly lastColumn: Float32Array | Int8Array;
}

export interface RoofGraph {
  readonly model: Buffer;
  /** In the order of the output `corners`. */
  readonly matmuls: readonly RoofMatmul[];
}

export const ROOF_ZERO_POINT = 128;
const WEIGHT_SCALE = 1 / 64;

/** Multiplications and additions of the layers' matmuls for so many tokens. */
export function roofWork({ layers, hiddenSize, intermediateSize }: RoofShape, tokens: number): number {
  return layers * 2 * tokens * (4 * hiddenSize ** 2 + 2 * hiddenSize * intermediateSize);
}

/**
 * A graph of nothing but the matmuls of a model's layers, with random weights: per layer query-key-value `[H,3H]`,
 * attention output `[H,H]`, intermediate `[H,I]` and output `[I,H]`.
 *
 * Inputs `narrow [T,H]` and `wide [T,I]` (float32, bytes for `int8-bytes`) are what the maps read. Output `corners
 * [1, 4·layers]` has the last number of each result: none can be left out, and none can be computed when the graph is
 * loaded. Inputs instead of chained results keep whatever is no matmul out of the graph.
 */
export function roofGraph(kind: RoofKind, { layers, hiddenSize, intermediateSize }: RoofShape): RoofGraph {
  const graph = new GraphBuilder();
  const type = kind === 'int8-bytes' ? 'uint8' : 'float32';
  const values = {
    narrow: graph.input('narrow', type, ['T', hiddenSize]),
    wide: graph.input('wide', type, ['T', intermediateSize]),
  };
  const maps = [
    { input: 'narrow', inputs: hiddenSize, outputs: 3 * hiddenSize },
    { input: 'narrow', inputs: hiddenSize, outputs: hiddenSize },
    { input: 'narrow', inputs: hiddenSize, outputs: intermediateSize },
    { input: 'wide', inputs: intermediateSize, outputs: hiddenSize },
  ] as const;
  const matmuls: RoofMatmul[] = [];
  const corners: Value[] = [];
  for (let layer = 0; layer < layers; layer++) {
    for (const { input, inputs, outputs } of maps) {
      const seed = matmuls.length + 1;
      const inputScale = (1 + seed / 1024) / 32;
      const weight = kind === 'fp32' ? floats(inputs * outputs, seed) : bytes(inputs * outputs, seed);
      const dims = [inputs, outputs];
      const result =
        weight instanceof Float32Array
          ? graph.node('MatMul', [values[input], graph.constant(weight, dims, 'float32')])
          : int8Matmul(graph, kind, values[input], inputScale, graph.constant(weight, dims, 'int8'), outputs);
      corners.push(lastNumber(graph, result));
      matmuls.push({ input, inputScale, lastColumn: lastColumn(weight, outputs) });
    }
  }
  const joined = graph.node('Concat', corners, { axis: { int: 1 } });
  graph.output('corners', joined, 'float32', [1, corners.length]);
  return { model: graph.toModel(`matmuls ${kind}`), matmuls };
}

/** What an int8 bundle does with the input of a linear map; see LinearWriter. */
function int8Matmul(
  graph: GraphBuilder,
  kind: RoofKind,
  x: Value,
  inputScale: number,
  weight: Value,
  outputs: number,
): Value {
  const scale = graph.float(inputScale);
  const zero = graph.constant(Uint8Array.of(ROOF_ZERO_POINT), [], 'uint8');
  const quantised = kind === 'int8' ? graph.node('QuantizeLinear', [x, scale, zero]) : x;
  const weightScales = graph.constant(new Float32Array(outputs).fill(WEIGHT_SCALE), [outputs], 'float32');
  return graph.node('MatMulIntegerToFloat', [quantised, weight, scale, weightScales, zero], {}, MICROSOFT);
}

/** `[T,N]` to `[1,1]`. */
function lastNumber(graph: GraphBuilder, matrix: Value): Value {
  const ends = graph.int64([Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
  return graph.node('Slice', [matrix, graph.int64([-1, -1]), ends, graph.int64([0, 1])]);
}

/**
 * The last number of a matmul's result, computed here.
 * @param row the last row of its input
 */
export function cornerOf(
  kind: RoofKind,
  { inputScale, lastColumn }: RoofMatmul,
  row: Float32Array | Uint8Array,
): number {
  const scale = Math.fround(inputScale);
  let sum = 0;
  for (const [index, weight] of lastColumn.entries()) {
    const value = row[index]!;
    if (kind === 'fp32') sum += value * weight;
    else if (kind === 'int8-bytes') sum += (value - ROOF_ZERO_POINT) * weight;
    else sum += (quantise(value / scale) - ROOF_ZERO_POINT) * weight;
  }
  return kind === 'fp32' ? sum : sum * scale * WEIGHT_SCALE;
}

function quantise(steps: number): number {
  return Math.max(0, Math.min(255, Math.round(steps) + ROOF_ZERO_POINT));
}

function lastColumn(weight: Float32Array | Int8Array, outputs: number): RoofMatmul['lastColumn'] {
  return weight.filter((_, index) => index % outputs === outputs - 1);
}

/** Uniform in −1..1: Knuth's linear congruential generator with the constants of Numerical Recipes. */
function* uniform(seed: number): Generator<number> {
  for (let state = seed >>> 0; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 31 - 1;
  }
}

function floats(length: number, seed: number): Float32Array {
  const numbers = uniform(seed);
  return new Float32Array(length).map(() => numbers.next().value);
}

/** −63..63: two neighbours' products with bytes stay in int16, as in `quantiseWeight`. */
function bytes(length: number, seed: number): Int8Array {
  const numbers = uniform(seed);
  return new Int8Array(length).map(() => Math.round(63 * numbers.next().value));
}

/** An input of so many numbers for a graph of this kind. */
export function roofInput(kind: RoofKind, length: number): Float32Array | Uint8Array {
  const numbers = uniform(length);
  return kind === 'int8-bytes'
    ? new Uint8Array(length).map(() => Math.round(127.5 * (numbers.next().value + 1)))
    : new Float32Array(length).map(() => 2 * numbers.next().value);
}
