import type { CheckpointConfig } from '../checkpoint/checkpoint-config.js';
import type { Value } from '../onnx/graph-builder.js';
import { dataTypes, GraphBuilder, MICROSOFT } from '../onnx/graph-builder.js';
import { writeActivation } from './activation-graph.js';
import { writeEmbeddings } from './embedding-graph.js';
import { writeExit } from './exit-graph.js';
import type { FoldedExit } from './fold-exit.js';
import type { FoldedEmbeddings, FoldedLayer } from './fold-norm.js';
import type { Quantisation } from './linear-writer.js';
import { LinearWriter } from './linear-writer.js';
import { writeNorm } from './norm-graph.js';
import type { StagePlan } from './stages.js';

export type Precision = 'fp32' | 'int8' | 'fp16';

/** Everything a model computes with, read and folded. */
export interface ModelWeights {
  readonly embeddings: FoldedEmbeddings;
  /** Layer 1 first. */
  readonly layers: readonly FoldedLayer[];
  readonly exits: ReadonlyMap<number, FoldedExit>;
  /** What the hidden states after each layer, 0 first, lack: the shift of their norm, `[layers + 1]` of `[hidden size]`. */
  readonly shifts: readonly Float32Array[];
}

export interface StageGraphOptions {
  readonly config: CheckpointConfig;
  readonly weights: ModelWeights;
  readonly stage: StagePlan;
  readonly precision: Precision;
  readonly quantisation?: Quantisation | undefined;
  /** Adds `min:SITE` and `max:SITE` outputs for every activation site, and lets no row leave. */
  readonly observeRanges?: boolean;
  /** Layers after which the hidden states are outputs, `state:N [n,S,H]`, with the shift of their norm. */
  readonly states?: readonly number[] | undefined;
}

/** Matmuls whose inputs are activation sites, in the order of execution. */
export function matmulNames(config: CheckpointConfig, exits: readonly number[]): string[] {
  const names: string[] = [];
  for (let layer = 0; layer <= config.geometry.layers; layer++) {
    if (layer > 0) {
      names.push(
        ...['query', 'key', 'value', 'attention-output', 'intermediate', 'output'].map(
          (part) => `layer.${layer}.${part}`,
        ),
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
    const { stage, config, weights, precision, observeRanges } = this.#options;
    const { layers, hiddenSize } = config.geometry;
    const graph = this.#graph;
    const [firstLayer, lastLayer] = stage.layers ?? [1, 0];
    const policy = graph.input('policy', 'float32', [stage.exits.length]);
    let hidden = stage.embeds
      ? writeEmbeddings(graph, this.#linears, weights.embeddings, config, precision === 'int8')
      : graph.input('hidden', this.#linears.float, ['B', 'S', hiddenSize]);
    let rows = this.#allRows(stage.embeds ? 'ids' : 'hidden');
    for (let layer = stage.embeds ? 0 : firstLayer; layer <= lastLayer; layer++) {
      if (layer > 0) hidden = this.#layer(layer, weights.layers[layer - 1]!, hidden);
      if (this.#options.states?.includes(layer) === true) this.#outputState(layer, hidden);
      const index = stage.exits.indexOf(layer);
      if (index < 0) continue;
      const uncertainty = writeExit(graph, this.#linears, config, weights.exits.get(layer)!, hidden, rows);
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

  #outputState(layer: number, hidden: Value): void {
    const { hiddenSize } = this.#options.config.geometry;
    const shift = this.#linears.floats(this.#options.weights.shifts[layer]!, [hiddenSize]);
    const state = this.#graph.node('Add', [hidden, shift]);
    this.#graph.output(`state:${layer}`, state, this.#linears.float, ['n', 'S', hiddenSize]);
  }

  /** `[B]` int32: 0, 1, … */
  #allRows(input: Value): Value {
    const graph = this.#graph;
    const shape = graph.node('Shape', [input]);
    const count = graph.node('Gather', [shape, graph.int32(0)], { axis: { int: 0 } });
    const int32 = graph.node('Cast', [count], { to: { int: dataTypes.int32 } });
    return graph.node('Range', [graph.int32(0), int32, graph.int32(1)]);
  }

  /** `[n,S,H]` to `[n,S,H]`, both before the shift of their norm. */
  #layer(layer: number, weights: FoldedLayer, hidden: Value): Value {
    const { config, precision } = this.#options;
    const { heads, activation } = config.geometry;
    const graph = this.#graph;
    const linears = this.#linears;
    const project = (part: 'query' | 'key' | 'value'): Value =>
      linears.linear(hidden, `hidden.${layer - 1}`, `layer.${layer}.${part}`, weights[part]);
    // Without mask and bias this takes the flash path; every row of a batch has the same length.
    const context = graph.node(
      'MultiHeadAttention',
      [project('query'), project('key'), project('value')],
      { num_heads: { int: heads } },
      MICROSOFT,
    );
    const attention = linears.linear(
      context,
      `context.${layer}`,
      `layer.${layer}.attention-output`,
      weights.attentionOutput,
    );
    const attended = this.#addAndNormalise(attention, hidden, weights.attendedGain);
    const wide = linears.matmul(
      attended,
      `attended.${layer}`,
      `layer.${layer}.intermediate`,
      weights.intermediate,
    );
    const bias = linears.floats(weights.intermediate.bias, [weights.intermediate.outputs]);
    const activated = writeActivation(graph, wide, bias, activation, precision === 'int8');
    const output = linears.linear(activated, `activated.${layer}`, `layer.${layer}.output`, weights.output);
    return this.#addAndNormalise(output, attended, weights.outputGain);
  }

  /** Norm of x + residual. */
  #addAndNormalise(x: Value, residual: Value, gain: Float32Array): Value {
    const { geometry } = this.#options.config;
    return writeNorm(this.#graph, this.#linears, this.#graph.node('Add', [x, residual]), gain, geometry);
  }
}
