import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { EmbeddingWeights, LayerNorm, LayerWeights, Linear } from '../checkpoint/weights.js';
import type { Value } from '../onnx/graph-builder.js';
import { dataTypes, GraphBuilder, MICROSOFT } from '../onnx/graph-builder.js';
import { writeExit } from './exit-graph.js';
import type { FoldedExit } from './fold-exit.js';
import type { Quantisation } from './linear-writer.js';
import { LinearWriter } from './linear-writer.js';
import { quantiseTable } from './quantise-table.js';
import type { StagePlan } from './stages.js';

export type Precision = 'fp32' | 'int8' | 'fp16';

/** Everything a model computes with, read and folded. */
export interface ModelWeights {
  readonly embeddings: EmbeddingWeights;
  /** Layer 1 first. */
  readonly layers: readonly LayerWeights[];
  readonly exits: ReadonlyMap<number, FoldedExit>;
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
    if (
      exits.includes(layer) &&
      config.exits.some((exit) => exit.layer === layer && exit.kind === 'fastbert')
    ) {
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
  readonly #linears: LinearWriter;

  constructor(options: StageGraphOptions) {
    const { precision, quantisation, observeRanges } = options;
    this.#options = options;
    this.#linears = new LinearWriter(
      this.#graph,
      precision === 'fp16' ? 'float16' : 'float32',
      precision === 'int8' ? quantisation : undefined,
      observeRanges === true,
    );
  }

  write(): Buffer {
    const { stage, config, weights, observeRanges } = this.#options;
    const { layers, hiddenSize } = config.geometry;
    const graph = this.#graph;
    const [firstLayer, lastLayer] = stage.layers ?? [1, 0];
    const policy = graph.input('policy', 'float32', [stage.exits.length]);
    let hidden = stage.embeds
      ? this.#embed()
      : graph.input('hidden', this.#linears.float, ['B', 'S', hiddenSize]);
    let rows = this.#allRows(stage.embeds ? 'ids' : 'hidden');
    for (let layer = stage.embeds ? 0 : firstLayer; layer <= lastLayer; layer++) {
      if (layer > 0) hidden = this.#layer(layer, weights.layers[layer - 1]!, hidden);
      const index = stage.exits.indexOf(layer);
      if (index < 0) continue;
      const uncertainty = writeExit(graph, this.#linears, weights.exits.get(layer)!, hidden, rows);
      if (layer === layers || observeRanges === true) continue;
      const threshold = graph.node('Gather', [policy, graph.int32(index)], { axis: { int: 0 } });
      const stays = graph.node('Not', [graph.node('Less', [uncertainty, threshold])]);
      rows = graph.node('Compress', [rows, stays], { axis: { int: 0 } });
      hidden = this.#linears.compact(hidden, stays);
    }
    if (lastLayer < layers) {
      graph.output('hidden_out', hidden, this.#linears.float, ['m', 'S', hiddenSize]);
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
    const wordTable =
      precision === 'int8' ? this.#bytesTable(word) : this.#linears.floats(word, [vocabSize, hiddenSize]);
    const positions = pair ? position : withSegmentZero(position, segment, hiddenSize);
    const [hidden] = graph.nodes(
      'EmbedLayerNormalization',
      [
        ids,
        pair ? graph.input('segments', 'int32', ['B', 'S']) : '',
        wordTable,
        this.#linears.floats(positions, [maxPositions, hiddenSize]),
        pair ? this.#linears.floats(segment, [segments, hiddenSize]) : '',
        this.#linears.floats(norm.weight, [hiddenSize]),
        this.#linears.floats(norm.bias, [hiddenSize]),
      ],
      2,
      { epsilon: layerNormEps },
      MICROSOFT,
    );
    return hidden!;
  }

  /** The word table in a quarter of the file's bytes; ONNX Runtime folds both nodes when it loads the graph. */
  #bytesTable(word: Float32Array): Value {
    const { vocabSize, hiddenSize } = this.#options.config.geometry;
    const graph = this.#graph;
    const { values, scales } = quantiseTable(word, hiddenSize);
    const bytes = graph.constant(values, [vocabSize, hiddenSize], 'int8');
    const floats = graph.node('Cast', [bytes], { to: { int: dataTypes.float32 } });
    return graph.node('Mul', [floats, graph.constant(scales, [vocabSize, 1], 'float32')]);
  }

  /** `[n,S,H]` to `[n,S,H]`. */
  #layer(layer: number, weights: LayerWeights, hidden: Value): Value {
    const { heads } = this.#options.config.geometry;
    const graph = this.#graph;
    const qkv = this.#linears.linear(
      hidden,
      `hidden.${layer - 1}`,
      `layer.${layer}.qkv`,
      weights.queryKeyValue,
    );
    const [query, key, value] = graph.nodes('Split', [qkv], 3, { axis: { int: 2 } });
    // Without mask and bias this takes the flash path; every row of a batch has the same length.
    const context = graph.node(
      'MultiHeadAttention',
      [query!, key!, value!],
      { num_heads: { int: heads } },
      MICROSOFT,
    );
    const attention = this.#linears.matmul(
      context,
      `context.${layer}`,
      `layer.${layer}.attention-output`,
      weights.attentionOutput,
    );
    const attended = this.#addAndNormalise(attention, hidden, weights.attentionOutput, weights.attentionNorm);
    const wide = this.#linears.matmul(
      attended,
      `attended.${layer}`,
      `layer.${layer}.intermediate`,
      weights.intermediate,
    );
    const activated = graph.node(
      'BiasGelu',
      [wide, this.#linears.floats(weights.intermediate.bias, [weights.intermediate.outputs])],
      {},
      MICROSOFT,
    );
    const output = this.#linears.matmul(
      activated,
      `activated.${layer}`,
      `layer.${layer}.output`,
      weights.output,
    );
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
        this.#linears.floats(norm.weight, [hiddenSize]),
        this.#linears.floats(norm.bias, [hiddenSize]),
        this.#linears.floats(bias, [hiddenSize]),
      ],
      { epsilon: layerNormEps },
      MICROSOFT,
    );
  }
}

/** A single text is all segment 0, so its embedding joins the positions'. */
function withSegmentZero(position: Float32Array, segment: Float32Array, hiddenSize: number): Float32Array {
  return position.map((value, index) => value + segment[index % hiddenSize]!);
}
