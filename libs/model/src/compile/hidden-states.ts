import type { OnnxGraph } from '#inference/onnx-graph.js';
import { openGraph } from '#inference/onnx-graph.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { readModelWeights } from './model-weights.js';
import { writeStageGraph } from './stage-graph.js';

/** The encoder of a checkpoint in float32, which gives the hidden states after some of its layers. */
export class HiddenStates {
  readonly #graph: OnnxGraph;
  readonly #layers: readonly number[];
  readonly #hasSegments: boolean;

  private constructor(graph: OnnxGraph, layers: readonly number[]) {
    this.#graph = graph;
    this.#layers = layers;
    this.#hasSegments = graph.inputs.includes('segments');
  }

  /**
   * @param layers after which states are wanted, 0 being the embeddings
   * @param threads that one operator is spread over
   * @throws CheckpointError, GraphLoadError
   */
  static async open(
    checkpoint: Checkpoint,
    layers: readonly number[],
    threads: number,
  ): Promise<HiddenStates> {
    const { config } = checkpoint;
    const last = Math.max(...layers);
    const graph = writeStageGraph({
      config: { ...config, exits: [] },
      weights: await readModelWeights(checkpoint, []),
      stage: { embeds: true, layers: last === 0 ? undefined : [1, last], exits: [] },
      precision: 'fp32',
      states: layers,
    });
    return new HiddenStates(await openGraph(graph, { threads }), layers);
  }

  /**
   * Rows of one length. The calling thread is blocked meanwhile.
   * @param ids `[B·S]` @param segments `[B·S]`, of pairs
   * @returns of each layer, in their order, `[B·S,H]`
   */
  async of(ids: Int32Array, segments: Int32Array | undefined, rows: number): Promise<Float32Array[]> {
    const dims = [rows, ids.length / rows];
    const names = this.#layers.map((layer) => `state:${layer}`);
    const inputs = {
      ids: { data: ids, dims },
      policy: { data: new Float32Array(0), dims: [0] },
      ...(this.#hasSegments && {
        segments: { data: segments ?? new Int32Array(ids.length), dims },
      }),
    };
    const outputs = await this.#graph.run(inputs, names);
    return names.map((name) => {
      const { data } = outputs[name]!;
      if (data instanceof Float32Array) return data;
      throw new TypeError('Expected hidden states in float32.');
    });
  }

  release(): Promise<void> {
    return this.#graph.release();
  }
}
