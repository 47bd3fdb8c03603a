import type { GraphTensor } from '#inference/graph-tensor.js';
import type { OnnxGraph } from '#inference/onnx-graph.js';
import { openGraph } from '#inference/onnx-graph.js';
import type { TokenColumns } from '#pipeline/columns.js';
import type { ExitOpinions } from './exit-opinions.js';
import { emptyOpinions, enterOpinion } from './exit-opinions.js';
import { gatherTokens, lengthBatches } from './length-batches.js';
import type { StagePlan } from './stages.js';

/**
 * The graphs of all stages, run one after the other on the calling thread: for a few texts, or where all outputs of the
 * graphs are wanted. On one thread each, so that the same input gives the same bits on any number of cores.
 */
export class StagedModel {
  readonly #graphs: readonly OnnxGraph[];
  readonly #stages: readonly StagePlan[];
  readonly #classes: number;

  private constructor(graphs: readonly OnnxGraph[], stages: readonly StagePlan[], classes: number) {
    this.#graphs = graphs;
    this.#stages = stages;
    this.#classes = classes;
  }

  /**
   * @param models bytes or path of each stage's graph
   * @throws GraphLoadError
   */
  static async open(
    models: readonly (Uint8Array | string)[],
    stages: readonly StagePlan[],
    classes: number,
  ): Promise<StagedModel> {
    const graphs = [];
    for (const model of models) graphs.push(await openGraph(model, { threads: 1 }));
    return new StagedModel(graphs, stages, classes);
  }

  /**
   * Runs every row through all exits, in batches of one exact length.
   * @param onBatch hears all outputs of each stage's graph
   */
  async opinions(
    tokens: TokenColumns,
    onBatch?: (outputs: Readonly<Record<string, GraphTensor>>) => void,
  ): Promise<ExitOpinions> {
    const layers = this.#stages.flatMap(({ exits }) => [...exits]);
    const takesSegments = this.#graphs[0]!.inputs.includes('segments');
    const opinions = emptyOpinions(layers, tokens.offsets.length - 1, this.#classes);
    for (const batch of lengthBatches(tokens)) {
      const dims = [batch.members.length, batch.length];
      const { ids, segments } = gatherTokens(tokens, batch);
      let input: Record<string, GraphTensor> = {
        ids: { dims, data: ids },
        ...(segments && takesSegments && { segments: { dims, data: segments } }),
      };
      for (const [index, graph] of this.#graphs.entries()) {
        const { exits } = this.#stages[index]!;
        const policy = { dims: [exits.length], data: new Float32Array(exits.length).fill(-1) };
        const outputs = await graph.run({ ...input, policy });
        for (const layer of exits) {
          enterOpinion(opinions, layer, batch.members, {
            probabilities: floatsOf(outputs, `probabilities_${layer}`),
            uncertainty: floatsOf(outputs, `uncertainty_${layer}`),
          });
        }
        input = { hidden: outputs.hidden_out! };
        onBatch?.(outputs);
      }
    }
    return opinions;
  }

  async release(): Promise<void> {
    for (const graph of this.#graphs) await graph.release();
  }
}

function floatsOf(outputs: Readonly<Record<string, GraphTensor>>, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new TypeError(`Expected the graph's output ${name} to be float32.`);
}
