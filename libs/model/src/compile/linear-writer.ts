import { float32ToFloat16 } from '../checkpoint/half-floats.js';
import type { Linear } from '../checkpoint/weights.js';
import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { MICROSOFT } from '../onnx/graph-builder.js';
import { CompileError } from './compile-error.js';
import type { Scale } from './quantise.js';
import { quantiseWeight } from './quantise.js';

/**
 * A matmul that can be int8, by name: `layer.3.output`, `exit.0.narrow`. Its input is an *activation site*, which
 * several matmuls may share: `hidden.N` (after layer N), `context.N`, `attended.N` and `activated.N` within layer N.
 */
export interface Quantisation {
  readonly scales: ReadonlyMap<string, Scale>;
  /** By site: channels that the scale does not cover, `[k]`, ascending. They are multiplied in float32. */
  readonly outliers: ReadonlyMap<string, Int32Array>;
  /** Matmuls that stay in float32. */
  readonly float32Matmuls: ReadonlySet<string>;
}

const MAX_FLOAT16 = 65_504;

/** Writes a graph's linear maps, in float or in int8, and compacts what they read. */
export class LinearWriter {
  /** Type of weights and hidden states. */
  readonly float: 'float32' | 'float16';
  readonly #graph: GraphBuilder;
  readonly #quantisation: Quantisation | undefined;
  readonly #observeRanges: boolean;
  readonly #observed = new Set<string>();
  /** Hidden states → their quantised form; kept through compaction, because bytes are cheaper to move than to make. */
  readonly #quantised = new Map<Value, Value>();
  /** Compacted hidden states → what they were compacted from, and by which mask. */
  readonly #compacted = new Map<Value, { from: Value; mask: Value }>();

  /**
   * @param quantisation for int8; all in float when left out
   * @param observeRanges adds `min:SITE` and `max:SITE` `[channels]` outputs for every activation site
   */
  constructor(
    graph: GraphBuilder,
    float: 'float32' | 'float16',
    quantisation: Quantisation | undefined,
    observeRanges: boolean,
  ) {
    this.#graph = graph;
    this.float = float;
    this.#quantisation = quantisation;
    this.#observeRanges = observeRanges;
  }

  /** `[n,S,H]` to `[m,S,H]`: the rows whose `stays` is true. */
  compact(hidden: Value, stays: Value): Value {
    const kept = this.#graph.node('Compress', [hidden, stays], { axis: { int: 0 } });
    this.#compacted.set(kept, { from: hidden, mask: stays });
    return kept;
  }

  /** x·weight + bias, int8 where the precision says so. */
  linear(x: Value, site: string, name: string, linear: Linear): Value {
    const int8 = this.#int8Matmul(x, site, name, linear, true);
    return int8 ?? this.floatLinear(x, linear);
  }

  /** x·weight without the bias, which a fused operator behind it adds. */
  matmul(x: Value, site: string, name: string, linear: Linear): Value {
    const int8 = this.#int8Matmul(x, site, name, linear, false);
    return int8 ?? this.floatMatmul(x, linear);
  }

  #int8Matmul(x: Value, site: string, name: string, linear: Linear, withBias: boolean): Value | undefined {
    this.#observe(x, site);
    const quantisation = this.#quantisation;
    if (quantisation === undefined || quantisation.float32Matmuls.has(name)) {
      return undefined;
    }
    const scale = quantisation.scales.get(site);
    if (scale === undefined) throw new Error(`No activation range was measured for ${site}.`);
    const graph = this.#graph;
    const outliers = quantisation.outliers.get(site);
    const weight = quantiseWeight(outliers === undefined ? linear : withoutRows(linear, outliers));
    const inputScale = graph.float(scale.scale);
    const inputZero = graph.constant(Uint8Array.of(scale.zeroPoint), [], 'uint8');
    const inputs = [
      this.#quantise(x, inputScale, inputZero),
      graph.constant(weight.values, [linear.inputs, linear.outputs], 'int8'),
      inputScale,
      graph.constant(weight.scales, [linear.outputs], 'float32'),
      inputZero,
    ];
    if (withBias) inputs.push('', this.floats(linear.bias, [linear.outputs]));
    const product = graph.node('MatMulIntegerToFloat', inputs, {}, MICROSOFT);
    return outliers === undefined
      ? product
      : graph.node('Add', [product, this.#outlierProduct(x, outliers, linear)]);
  }

  /** What the outlier channels add: `[n,S,k]` × `[k,outputs]`. */
  #outlierProduct(x: Value, outliers: Int32Array, { weight, outputs }: Linear): Value {
    const graph = this.#graph;
    const channels = graph.constant(outliers, [outliers.length], 'int32');
    const rows = new Float32Array(outliers.length * outputs);
    for (const [index, channel] of outliers.entries()) {
      rows.set(weight.subarray(channel * outputs, (channel + 1) * outputs), index * outputs);
    }
    const few = graph.node('Gather', [x, channels], { axis: { int: 2 } });
    return graph.node('MatMul', [few, graph.constant(rows, [outliers.length, outputs], 'float32')]);
  }

  #quantise(x: Value, scale: Value, zero: Value): Value {
    const known = this.#quantised.get(x);
    if (known !== undefined) return known;
    const compacted = this.#compacted.get(x);
    const before = compacted === undefined ? undefined : this.#quantised.get(compacted.from);
    const quantised =
      compacted === undefined || before === undefined
        ? this.#graph.node('QuantizeLinear', [x, scale, zero])
        : this.#graph.node('Compress', [before, compacted.mask], { axis: { int: 0 } });
    this.#quantised.set(x, quantised);
    return quantised;
  }

  floatLinear(x: Value, linear: Linear): Value {
    return this.#graph.node('Add', [this.floatMatmul(x, linear), this.floats(linear.bias, [linear.outputs])]);
  }

  /** x·weight in float, without the bias. */
  floatMatmul(x: Value, linear: Linear): Value {
    return this.#graph.node('MatMul', [x, this.floats(linear.weight, [linear.inputs, linear.outputs])]);
  }

  /** A constant in the graph's float type. @throws CompileError for a weight beyond float16's range */
  floats(values: Float32Array, dims: readonly number[]): Value {
    return this.float === 'float16'
      ? this.halves(values, dims)
      : this.#graph.constant(values, dims, 'float32');
  }

  /** A constant in float16. @throws CompileError for a weight beyond its range */
  halves(values: Float32Array, dims: readonly number[]): Value {
    const tooLarge = values.find((value) => Math.abs(value) > MAX_FLOAT16);
    if (tooLarge !== undefined) {
      throw new CompileError(
        `A weight of ${tooLarge} does not fit float16, which ends at ${MAX_FLOAT16}; use --precision fp32.`,
      );
    }
    return this.#graph.constant(float32ToFloat16(values), dims, 'float16');
  }

  #observe(x: Value, site: string): void {
    if (!this.#observeRanges || this.#observed.has(site)) return;
    this.#observed.add(site);
    const graph = this.#graph;
    for (const [name, op] of [
      ['min', 'ReduceMin'],
      ['max', 'ReduceMax'],
    ] as const) {
      const least = graph.node(op, [x], { axes: [0, 1], keepdims: { int: 0 } });
      graph.output(`${name}:${site}`, least, 'float32', ['channels']);
    }
  }
}

/** The same linear, blind for some of its inputs. */
function withoutRows(linear: Linear, rows: Int32Array): Linear {
  const weight = Float32Array.from(linear.weight);
  for (const row of rows) weight.fill(0, row * linear.outputs, (row + 1) * linear.outputs);
  return { ...linear, weight };
}
