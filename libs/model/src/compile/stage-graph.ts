import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { EmbeddingWeights, LayerNorm, LayerWeights, Linear } from '../checkpoint/weights.js';
import type { Value } from '../onnx/graph-builder.js';
import { dataTypes, GraphBuilder, MICROSOFT } from '../onnx/graph-builder.js';
import { float32ToFloat16 } from '../checkpoint/half-floats.js';
import type { FoldedExit, FoldedFastbertExit } from './fold-exit.js';
import type { Scale } from './quantise.js';
import { quantiseWeight } from './quantise.js';
import type { StagePlan } from './stages.js';

export type Precision = 'fp32' | 'int8' | 'fp16';

/** Everything a model computes with, read and folded. */
export interface ModelWeights {
  readonly embeddings: EmbeddingWeights;
  /** Layer 1 first. */
  readonly layers: readonly LayerWeights[];
  readonly exits: ReadonlyMap<number, FoldedExit>;
}

/**
 * A matmul that can be int8, by name: `layer.3.output`, `exit.0.narrow`. Its input is an *activation site*, which
 * several matmuls may share: `hidden.N` (after layer N), `context.N`, `attended.N` and `activated.N` within layer N.
 */
export interface Quantisation {
  readonly scales: ReadonlyMap<string, Scale>;
  /** Matmuls that stay in float32. */
  readonly float32Matmuls: ReadonlySet<string>;
}

export interface StageGraphOptions {
  readonly config: CheckpointConfig;
  readonly weights: ModelWeights;
  readonly stage: StagePlan;
  readonly precision: Precision;
  readonly quantisation?: Quantisation | undefined;
  /** Adds `min:SITE` and `max:SITE` outputs for every activation site, and lets no row leave. */
  readonly observeRanges?: boolean;
}

/** Matmuls whose inputs are activation sites, in the order of execution. */
export function matmulNames(config: CheckpointConfig, exits: readonly number[]): string[] {
  const names: string[] = [];
  for (let layer = 0; layer <= config.geometry.layers; layer++) {
    if (layer > 0) {
      names.push(
        ...['qkv', 'attention-output', 'intermediate', 'output'].map((part) => `layer.${layer}.${part}`),
      );
    }
    if (exits.includes(layer) && config.exits.some((exit) => exit.layer === layer && exit.kind === 'fastbert')) {
      names.push(`exit.${layer}.narrow`);
    }
  }
  return names;
}

/**
 * Writes the ONNX model of one stage. Inputs: `ids [B,S]` int32 (and `segments [B,S]` int32 for pair tasks) for the
 * stage with the embeddings, `hidden [B,S,H]` for others; `policy [exits]` float32. Outputs: for the exit after layer N
 * `rows_N [n]` int32, `probabilities_N [n,C]` and `uncertainty_N [n]` float32 of the rows that reached it; unless it is
 * the last stage `hidden_out [m,S,H]` and `rows_out [m]` int32 of the rows that left nowhere.
 */
export function writeStageGraph(options: StageGraphOptions): Buffer {
  return new StageGraphWriter(options).write();
}

class StageGraphWriter {
  readonly #graph = new GraphBuilder();
  readonly #options: StageGraphOptions;
  readonly #float: 'float32' | 'float16';
  readonly #observed = new Set<string>();
  /** Hidden states → their quantised form; kept through compaction, because bytes are cheaper to move than to make. */
  readonly #quantised = new Map<Value, Value>();
  /** Compacted hidden states → what they were compacted from, and by which mask. */
  readonly #compacted = new Map<Value, { from: Value; mask: Value }>();

  constructor(options: StageGraphOptions) {
    this.#options = options;
    this.#float = options.precision === 'fp16' ? 'float16' : 'float32';
  }

  write(): Buffer {
    const { stage, config, weights, observeRanges } = this.#options;
    const { layers, hiddenSize } = config.geometry;
    const graph = this.#graph;
    const [firstLayer, lastLayer] = stage.layers ?? [1, 0];
    const policy = graph.input('policy', 'float32', [stage.exits.length]);
    const embeds = firstLayer === 1;
    let hidden = embeds ? this.#embed() : graph.input('hidden', this.#float, ['B', 'S', hiddenSize]);
    let rows = this.#allRows(embeds ? 'ids' : 'hidden');
    for (let layer = embeds ? 0 : firstLayer; layer <= lastLayer; layer++) {
      if (layer > 0) hidden = this.#layer(layer, weights.layers[layer - 1] as LayerWeights, hidden);
      const index = stage.exits.indexOf(layer);
      if (index < 0) continue;
      const uncertainty = this.#exit(weights.exits.get(layer) as FoldedExit, hidden, rows);
      if (layer === layers || observeRanges === true) continue;
      const threshold = graph.node('Gather', [policy, graph.int32(index)], { axis: { int: 0 } });
      const stays = graph.node('Not', [graph.node('Less', [uncertainty, threshold])]);
      rows = graph.node('Compress', [rows, stays], { axis: { int: 0 } });
      const kept = graph.node('Compress', [hidden, stays], { axis: { int: 0 } });
      this.#compacted.set(kept, { from: hidden, mask: stays });
      hidden = kept;
    }
    if (lastLayer < layers) {
      graph.output('hidden_out', hidden, this.#float, ['m', 'S', hiddenSize]);
      graph.output('rows_out', rows, 'int32', ['m']);
    }
    return graph.toModel(`sluice stage ${firstLayer}-${lastLayer}`);
  }

  /** `[B]` int32: 0, 1, … */
  #allRows(input: Value): Value {
    const graph = this.#graph;
    const shape = graph.node('Shape', [input]);
    const count = graph.node('Gather', [shape, graph.int32(0)], { axis: { int: 0 } });
    const int32 = graph.node('Cast', [count], { to: { int: dataTypes.int32 } });
    return graph.node('Range', [graph.int32(0), int32, graph.int32(1)]);
  }

  /** `[B,S]` ids to `[B,S,H]`. */
  #embed(): Value {
    const { config, weights, precision } = this.#options;
    const { word, position, segment, norm } = weights.embeddings;
    const { vocabSize, hiddenSize, maxPositions, segments, layerNormEps } = config.geometry;
    const graph = this.#graph;
    const ids = graph.input('ids', 'int32', ['B', 'S']);
    const pair = config.task === 'pair';
    // Half the bytes in the file; ONNX Runtime folds the Cast when it loads the graph.
    const halved = (): Value =>
      graph.node('Cast', [graph.constant(float32ToFloat16(word), [vocabSize, hiddenSize], 'float16')], {
        to: { int: dataTypes.float32 },
      });
    const wordTable = precision === 'int8' ? halved() : this.#floats(word, [vocabSize, hiddenSize]);
    const positions = pair ? position : withSegmentZero(position, segment, hiddenSize);
    const [hidden] = graph.nodes(
      'EmbedLayerNormalization',
      [
        ids,
        pair ? graph.input('segments', 'int32', ['B', 'S']) : '',
        wordTable,
        this.#floats(positions, [maxPositions, hiddenSize]),
        pair ? this.#floats(segment, [segments, hiddenSize]) : '',
        this.#floats(norm.weight, [hiddenSize]),
        this.#floats(norm.bias, [hiddenSize]),
      ],
      2,
      { epsilon: layerNormEps },
      MICROSOFT,
    );
    return hidden as Value;
  }

  /** `[n,S,H]` to `[n,S,H]`. */
  #layer(layer: number, weights: LayerWeights, hidden: Value): Value {
    const { heads } = this.#options.config.geometry;
    const graph = this.#graph;
    const qkv = this.#linear(hidden, `hidden.${layer - 1}`, `layer.${layer}.qkv`, weights.queryKeyValue);
    const [query, key, value] = graph.nodes('Split', [qkv], 3, { axis: { int: 2 } }) as [
      Value,
      Value,
      Value,
    ];
    // Without mask and bias this takes the flash path; every row of a batch has the same length.
    const context = graph.node(
      'MultiHeadAttention',
      [query, key, value],
      { num_heads: { int: heads } },
      MICROSOFT,
    );
    const attention = this.#matmul(
      context,
      `context.${layer}`,
      `layer.${layer}.attention-output`,
      weights.attentionOutput,
    );
    const attended = this.#addAndNormalise(
      attention,
      hidden,
      weights.attentionOutput,
      weights.attentionNorm,
    );
    const wide = this.#matmul(
      attended,
      `attended.${layer}`,
      `layer.${layer}.intermediate`,
      weights.intermediate,
    );
    const activated = graph.node(
      'BiasGelu',
      [wide, this.#floats(weights.intermediate.bias, [weights.intermediate.outputs])],
      {},
      MICROSOFT,
    );
    const output = this.#matmul(activated, `activated.${layer}`, `layer.${layer}.output`, weights.output);
    return this.#addAndNormalise(output, attended, weights.output, weights.outputNorm);
  }

  /** LayerNorm(x + bias + residual). */
  #addAndNormalise(x: Value, residual: Value, { bias }: Linear, norm: LayerNorm): Value {
    const { hiddenSize, layerNormEps } = this.#options.config.geometry;
    return this.#graph.node(
      'SkipLayerNormalization',
      [
        x,
        residual,
        this.#floats(norm.weight, [hiddenSize]),
        this.#floats(norm.bias, [hiddenSize]),
        this.#floats(bias, [hiddenSize]),
      ],
      { epsilon: layerNormEps },
      MICROSOFT,
    );
  }

  /** Writes an exit with its outputs; returns the uncertainty `[n]`. */
  #exit(exit: FoldedExit, hidden: Value, rows: Value): Value {
    const graph = this.#graph;
    const classes = exit.logits.outputs;
    const last =
      exit.kind === 'pooler' ? this.#poolerFeatures(exit.pooler, hidden) : this.#fastbertFeatures(exit, hidden);
    const raw = this.#floatLinear(last, exit.logits);
    const logits =
      this.#float === 'float32' ? raw : graph.node('Cast', [raw], { to: { int: dataTypes.float32 } });
    const probabilities = graph.node('Softmax', [logits], { axis: { int: 1 } });
    const logProbabilities = graph.node('LogSoftmax', [logits], { axis: { int: 1 } });
    const terms = graph.node('Mul', [probabilities, logProbabilities]);
    // Summed over the first axis, where the order of additions cannot depend on a row's place in memory.
    const byClass = graph.node('Transpose', [terms], { perm: [1, 0] });
    const negative = graph.node('ReduceSum', [byClass, graph.int64([0])], { keepdims: { int: 0 } });
    const scaled = graph.node('Mul', [negative, graph.float(-1 / Math.log(classes))]);
    const uncertainty = graph.node('Clip', [scaled, graph.float(0), graph.float(1)]);
    graph.output(`rows_${exit.layer}`, rows, 'int32', [`n_${exit.layer}`]);
    graph.output(`probabilities_${exit.layer}`, probabilities, 'float32', [`n_${exit.layer}`, classes]);
    graph.output(`uncertainty_${exit.layer}`, uncertainty, 'float32', [`n_${exit.layer}`]);
    return uncertainty;
  }

  /** `[n,S,H]` to `[n,H]`. */
  #poolerFeatures(pooler: Linear, hidden: Value): Value {
    const first = this.#graph.node('Gather', [hidden, this.#graph.int32(0)], { axis: { int: 1 } });
    return this.#graph.node('Tanh', [this.#floatLinear(first, pooler)]);
  }

  /** `[n,S,H]` to `[n,size]`; the formulas stand in fold-exit.ts. */
  #fastbertFeatures(exit: FoldedFastbertExit, hidden: Value): Value {
    const { layer, size, heads } = exit;
    const graph = this.#graph;
    const z = graph.node('Tanh', [
      this.#linear(hidden, `hidden.${layer}`, `exit.${layer}.narrow`, exit.narrow),
    ]);
    const first = graph.node('Gather', [z, graph.int32(0)], { axis: { int: 1 } });
    const ask = graph.node('Reshape', [this.#floatLinear(first, exit.ask), graph.int64([0, heads, size])]);
    const scores = graph.node(
      'FusedMatMul',
      [ask, z],
      { alpha: 1, transA: { int: 0 }, transB: { int: 1 } },
      MICROSOFT,
    );
    const attended = graph.node('MatMul', [graph.node('Softmax', [scores], { axis: { int: 2 } }), z]);
    const flat = graph.node('Reshape', [attended, graph.int64([0, heads * size])]);
    return graph.node('Tanh', [this.#floatLinear(flat, exit.answer)]);
  }

  /** x·weight + bias, int8 where the precision says so. */
  #linear(x: Value, site: string, name: string, linear: Linear): Value {
    const int8 = this.#int8Matmul(x, site, name, linear, true);
    return int8 ?? this.#floatLinear(x, linear);
  }

  /** x·weight without the bias, which a fused operator behind it adds. */
  #matmul(x: Value, site: string, name: string, linear: Linear): Value {
    const int8 = this.#int8Matmul(x, site, name, linear, false);
    return int8 ?? this.#floatMatmul(x, linear);
  }

  #int8Matmul(x: Value, site: string, name: string, linear: Linear, withBias: boolean): Value | undefined {
    this.#observe(x, site);
    const { precision, quantisation } = this.#options;
    if (precision !== 'int8' || quantisation === undefined || quantisation.float32Matmuls.has(name)) {
      return undefined;
    }
    const scale = quantisation.scales.get(site);
    if (scale === undefined) throw new Error(`No activation range was measured for ${site}.`);
    const graph = this.#graph;
    const weight = quantiseWeight(linear);
    const inputScale = graph.float(scale.scale);
    const inputZero = graph.constant(Uint8Array.of(scale.zeroPoint), [], 'uint8');
    const inputs = [
      this.#quantise(x, inputScale, inputZero),
      graph.constant(weight.values, [linear.inputs, linear.outputs], 'int8'),
      inputScale,
      graph.constant(weight.scales, [linear.outputs], 'float32'),
      inputZero,
    ];
    if (withBias) inputs.push('', this.#floats(linear.bias, [linear.outputs]));
    return graph.node('MatMulIntegerToFloat', inputs, {}, MICROSOFT);
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

  #floatLinear(x: Value, linear: Linear): Value {
    return this.#graph.node('Add', [this.#floatMatmul(x, linear), this.#floats(linear.bias, [linear.outputs])]);
  }

  #floatMatmul(x: Value, linear: Linear): Value {
    return this.#graph.node('MatMul', [x, this.#floats(linear.weight, [linear.inputs, linear.outputs])]);
  }

  #floats(values: Float32Array, dims: readonly number[]): Value {
    return this.#float === 'float16'
      ? this.#graph.constant(float32ToFloat16(values), dims, 'float16')
      : this.#graph.constant(values, dims, 'float32');
  }

  #observe(x: Value, site: string): void {
    if (this.#options.observeRanges !== true || this.#observed.has(site)) return;
    this.#observed.add(site);
    const graph = this.#graph;
    graph.output(`min:${site}`, graph.node('ReduceMin', [x], { keepdims: { int: 0 } }), 'float32', []);
    graph.output(`max:${site}`, graph.node('ReduceMax', [x], { keepdims: { int: 0 } }), 'float32', []);
  }
}

/** A single text is all segment 0, so its embedding joins the positions'. */
function withSegmentZero(position: Float32Array, segment: Float32Array, hiddenSize: number): Float32Array {
  return position.map((value, index) => value + (segment[index % hiddenSize] as number));
}
