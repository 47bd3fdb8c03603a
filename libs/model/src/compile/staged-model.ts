import type { GraphTensor } from '#inference/graph-tensor.js';
import type { OnnxGraph } from '#inference/onnx-graph.js';
import { openGraph } from '#inference/onnx-graph.js';
import type { TokenColumns } from '#pipeline/columns.js';
import type { StagePlan } from './stages.js';

/** What each exit says of every row, no row leaving anywhere. */
export interface ExitOpinions {
  readonly rows: number;
  readonly classes: number;
  /** By layer of the exit. */
  readonly exits: ReadonlyMap<
    number,
    {
      /** `[rows, classes]`. */
      readonly probabilities: Float32Array;
      /** `[rows]`. */
      readonly uncertainty: Float32Array;
    }
  >;
}

/** One thread, so that the same input gives the same bundle, byte for byte, on any number of cores. */
export const COMPILE_THREADS = 1;

/** Tokens of a batch while measuring; about what the processor's caches like. */
const BATCH_TOKENS = 1024;

/** The graphs of all stages, run one after the other on the calling thread: for compiling and checking, not for labelling. */
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
    for (const model of models) graphs.push(await openGraph(model, { threads: COMPILE_THREADS }));
    return new StagedModel(graphs, stages, classes);
  }

  /**
   * Runs every row through all exits, in batches of one exact length.
   * @param onBatch hears all outputs of each stage's graph, and the rows done so far
   */
  async opinions(
    tokens: TokenColumns,
    onBatch?: (outputs: Readonly<Record<string, GraphTensor>>, rowsDone: number) => void,
  ): Promise<ExitOpinions> {
    const rows = tokens.offsets.length - 1;
    const classes = this.#classes;
    const exits = new Map(
      this.#stages
        .flatMap((stage) => [...stage.exits])
        .map((layer) => [
          layer,
          { probabilities: new Float32Array(rows * classes), uncertainty: new Float32Array(rows) },
        ]),
    );
    let done = 0;
    for (const { length, members } of batchesOfOneLength(tokens)) {
      let input = firstInput(tokens, members, length);
      for (const [index, graph] of this.#graphs.entries()) {
        const stage = this.#stages[index] as StagePlan;
        const policy = { dims: [stage.exits.length], data: new Float32Array(stage.exits.length).fill(-1) };
        const outputs = await graph.run({ ...input, policy });
        for (const layer of stage.exits) {
          const { probabilities, uncertainty } = exits.get(layer) as {
            probabilities: Float32Array;
            uncertainty: Float32Array;
          };
          const p = outputs[`probabilities_${layer}`]?.data as Float32Array;
          const u = outputs[`uncertainty_${layer}`]?.data as Float32Array;
          members.forEach((row, at) => {
            probabilities.set(p.subarray(at * classes, (at + 1) * classes), row * classes);
            uncertainty[row] = u[at] as number;
          });
        }
        input = { hidden: outputs.hidden_out as GraphTensor };
        onBatch?.(outputs, done);
      }
      done += members.length;
    }
    return { rows, classes, exits };
  }

  async release(): Promise<void> {
    for (const graph of this.#graphs) await graph.release();
  }
}

function batchesOfOneLength(tokens: TokenColumns): { length: number; members: number[] }[] {
  const byLength = new Map<number, number[]>();
  for (let row = 0; row + 1 < tokens.offsets.length; row++) {
    const length = (tokens.offsets[row + 1] as number) - (tokens.offsets[row] as number);
    const members = byLength.get(length);
    if (members === undefined) byLength.set(length, [row]);
    else members.push(row);
  }
  const batches = [];
  for (const [length, members] of byLength) {
    const size = Math.max(1, Math.floor(BATCH_TOKENS / length));
    for (let start = 0; start < members.length; start += size) {
      batches.push({ length, members: members.slice(start, start + size) });
    }
  }
  return batches;
}

function firstInput(
  tokens: TokenColumns,
  members: readonly number[],
  length: number,
): Record<string, GraphTensor> {
  const gather = (column: Int32Array): GraphTensor => {
    const data = new Int32Array(members.length * length);
    members.forEach((row, at) => {
      const start = tokens.offsets[row] as number;
      data.set(column.subarray(start, start + length), at * length);
    });
    return { dims: [members.length, length], data };
  };
  return tokens.segments === undefined
    ? { ids: gather(tokens.ids) }
    : { ids: gather(tokens.ids), segments: gather(tokens.segments) };
}
