import type { Activation, ExitColumns } from '#pipeline/columns.js';
import type { StageBatch, StageResult } from '#pipeline/ports.js';
import type { StageLayout } from '#pipeline/stage-layout.js';
import type { GraphTensor } from './graph-tensor.js';
import type { OnnxGraph, OnnxGraphOptions } from './onnx-graph.js';
import { GraphLoadError, openGraph } from './onnx-graph.js';

/** The graph of one stage, as the contract of libs/pipeline sees it. Blocks the thread that calls it. */
export class StageSession {
  readonly #graph: OnnxGraph;
  readonly #stage: StageLayout;
  readonly #hiddenSize: number;

  private constructor(graph: OnnxGraph, stage: StageLayout, hiddenSize: number) {
    this.#graph = graph;
    this.#stage = stage;
    this.#hiddenSize = hiddenSize;
  }

  /** @throws GraphLoadError for a file that ONNX Runtime refuses, or whose outputs are not those of the stage */
  static async open(
    file: string,
    stage: StageLayout,
    hiddenSize: number,
    options: OnnxGraphOptions,
  ): Promise<StageSession> {
    const graph = await openGraph(file, options);
    const missing = stage.exits.find((layer) => !graph.outputs.includes(`rows_${layer}`));
    if (missing !== undefined) {
      await graph.release();
      throw new GraphLoadError(file, `it has no output rows_${missing}, so it is not a graph of this stage`);
    }
    return new StageSession(graph, stage, hiddenSize);
  }

  async run({ rows, tokens, policy, input }: StageBatch): Promise<StageResult> {
    const feeds: Record<string, GraphTensor> = { policy: { dims: [policy.length], data: policy } };
    if (input.kind === 'hidden') {
      feeds.hidden = { dims: [rows, tokens, this.#hiddenSize], data: input.hidden };
    } else {
      feeds.ids = { dims: [rows, tokens], data: input.ids };
      // A model that knows one segment only has no such input.
      if (input.segments !== undefined && this.#graph.inputs.includes('segments')) {
        feeds.segments = { dims: [rows, tokens], data: input.segments };
      }
    }
    const started = performance.now();
    const outputs = await this.#graph.run(feeds);
    const seconds = (performance.now() - started) / 1000;
    return {
      exits: this.#stage.exits.map((layer) => exitColumns(outputs, layer)),
      survivors: {
        rows: outputs.rows_out === undefined ? new Int32Array(0) : int32(outputs, 'rows_out'),
        hidden: outputs.hidden_out === undefined ? new Float32Array(0) : activation(outputs, 'hidden_out'),
      },
      seconds,
    };
  }

  release(): Promise<void> {
    return this.#graph.release();
  }
}

type Outputs = Readonly<Record<string, GraphTensor>>;

function exitColumns(outputs: Outputs, layer: number): ExitColumns {
  return {
    layer,
    rows: int32(outputs, `rows_${layer}`),
    probabilities: float32(outputs, `probabilities_${layer}`),
    uncertainty: float32(outputs, `uncertainty_${layer}`),
  };
}

function int32(outputs: Outputs, name: string): Int32Array {
  const data = outputs[name]?.data;
  if (data instanceof Int32Array) return data;
  throw new TypeError(`Expected the graph's output ${name} to be int32.`);
}

function float32(outputs: Outputs, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new TypeError(`Expected the graph's output ${name} to be float32.`);
}

function activation(outputs: Outputs, name: string): Activation {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array || data instanceof Uint16Array) return data;
  throw new TypeError(`Expected the graph's output ${name} to be float32 or float16.`);
}
