/**
 * Promise 1 at the level of the graphs: what an exit says of a row is the same, bit for bit, whatever the rest of the
 * batch, wherever the stages are cut, and however many rows survive: none, one or many.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GraphTensor } from '#inference/graph-tensor.js';
import type { OnnxGraph } from '#inference/onnx-graph.js';
import { openGraph } from '#inference/onnx-graph.js';
import type { CheckpointShape, RandomExit } from '../../../../test/random-checkpoint.js';
import {
  checkpointShape,
  randomNumbers,
  vocabularySize,
  writeRandomCheckpoint,
} from '../../../../test/random-checkpoint.js';
import { openModel } from '../import/open-model.js';
import { calibrate } from './calibrate.js';
import type { Quantisation } from './linear-writer.js';
import { readModelWeights } from './model-weights.js';
import type { Precision } from './stage-graph.js';
import { writeStageGraph } from './stage-graph.js';
import type { StagePlan } from './stages.js';
import { planStages } from './stages.js';

/** Those that this library promises anything of on a CPU. */
const precisions: readonly Precision[] = ['fp32', 'int8'];

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-purity-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

interface OpenStage {
  readonly plan: StagePlan;
  readonly graph: OnnxGraph;
}

/** By exit's layer, then by row: what it said, as the bits of its probabilities and uncertainty. */
type Said = Map<number, Map<number, string>>;

const specialTokens = 5;
function randomIds(random: () => number, rows: number, tokens: number): Int32Array {
  return Int32Array.from(
    { length: rows * tokens },
    () => specialTokens + Math.floor(random() * (vocabularySize - specialTokens)),
  );
}

async function openStages(
  shape: CheckpointShape,
  precision: Precision,
  ends: readonly number[],
): Promise<OpenStage[]> {
  const directory = await mkdtemp(join(scratch, 'checkpoint-'));
  await writeRandomCheckpoint(directory, shape);
  const checkpoint = await openModel(directory);
  const { config } = checkpoint;
  const exits = shape.exits.map(({ layer }) => layer);
  const weights = await readModelWeights(checkpoint, exits);
  await checkpoint.close();
  const offsets = Int32Array.from({ length: 9 }, (_, row) => row * 16);
  const tokens = { ids: randomIds(randomNumbers(77), 8, 16), offsets, truncated: new Uint8Array(8) };
  const quantisation =
    precision === 'int8'
      ? { ...withOutliers(await calibrate(config, weights, tokens)), float32Matmuls: new Set<string>() }
      : undefined;
  const stages = [];
  for (const plan of planStages(config, ends, new Set(exits))) {
    const bytes = writeStageGraph({ config, weights, stage: plan, precision, quantisation });
    stages.push({ plan, graph: await openGraph(bytes) });
  }
  return stages;
}

/** Random weights have no outliers of their own. */
function withOutliers(calibrated: Pick<Quantisation, 'scales' | 'outliers'>): typeof calibrated {
  return { ...calibrated, outliers: new Map([['activated.1', Int32Array.of(0, 3, 7)]]) };
}

async function release(stages: readonly OpenStage[]): Promise<void> {
  for (const { graph } of stages) await graph.release();
}

const bits = (numbers: Float32Array): string =>
  Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString('hex');

/**
 * Runs rows of one length through all stages, survivors handed on.
 * @param thresholds by exit's layer; −1, which lets nobody leave, for the others
 */
async function runStages(
  stages: readonly OpenStage[],
  ids: Int32Array,
  tokens: number,
  thresholds: ReadonlyMap<number, number>,
): Promise<Said> {
  const said: Said = new Map();
  let rows = Array.from({ length: ids.length / tokens }, (_, row) => row);
  let input: Record<string, GraphTensor> = { ids: { dims: [rows.length, tokens], data: ids } };
  for (const { plan, graph } of stages) {
    const policy = Float32Array.from(plan.exits, (layer) => thresholds.get(layer) ?? -1);
    const outputs = await graph.run({ ...input, policy: { dims: [policy.length], data: policy } });
    for (const layer of plan.exits) {
      const reached = outputs[`rows_${layer}`]!.data;
      const probabilities = outputs[`probabilities_${layer}`]!;
      const classes = probabilities.dims[1]!;
      const uncertainty = outputs[`uncertainty_${layer}`]!.data;
      const ofExit = new Map<number, string>();
      for (let at = 0; at < reached.length; at++) {
        const numbers = new Float32Array(classes + 1);
        for (let c = 0; c < classes; c++) numbers[c] = Number(probabilities.data[at * classes + c]);
        numbers[classes] = Number(uncertainty[at]);
        ofExit.set(rows[Number(reached[at])]!, bits(numbers));
      }
      said.set(layer, ofExit);
    }
    if (outputs['hidden_out'] === undefined) break;
    const before = rows;
    const kept = outputs['rows_out']!.data;
    rows = Array.from({ length: kept.length }, (_, at) => before[Number(kept[at])]!);
    input = { hidden: outputs['hidden_out'] };
  }
  return said;
}

const floats = (hex: string): number[] =>
  Array.from({ length: hex.length / 8 }, (_, at) =>
    Buffer.from(hex.slice(at * 8, at * 8 + 8), 'hex').readFloatLE(),
  );

const uncertaintyOf = (hex: string): number => floats(hex).at(-1)!;

/** What every exit says of each row when it is run alone. */
async function aloneEach(stages: readonly OpenStage[], ids: Int32Array, tokens: number): Promise<Said> {
  const all: Said = new Map();
  for (let row = 0; row < ids.length / tokens; row++) {
    const said = await runStages(stages, ids.slice(row * tokens, (row + 1) * tokens), tokens, new Map());
    for (const [layer, byRow] of said) {
      all.set(layer, (all.get(layer) ?? new Map<number, string>()).set(row, byRow.get(0)!));
    }
  }
  return all;
}

describe.each(precisions)('survivors, %s', (precision) => {
  const exits: readonly RandomExit[] = [
    ...[0, 1, 2].map((layer): RandomExit => ({ layer, kind: 'fastbert', size: 16, heads: 2 })),
    { layer: 3, kind: 'pooler' },
  ];
  const shape = checkpointShape({ exits });
  const ROWS = 7;
  const TOKENS = 9;

  it.each([[[]], [[0]], [[0, 1, 2]], [[1]], [[0, 2]]])(
    'none, one and many after every exit, stages ending at %j',
    async (ends) => {
      const stages = await openStages(shape, precision, ends);
      const ids = randomIds(randomNumbers(9), ROWS, TOKENS);
      const alone = await aloneEach(stages, ids, TOKENS);
      for (const { layer } of exits.slice(0, -1)) {
        const sorted = [...alone.get(layer)!].sort((a, b) => uncertaintyOf(b[1]) - uncertaintyOf(a[1]));
        for (const survivors of [0, 1, 2, ROWS - 1, ROWS]) {
          // A row leaves below the threshold, so that of the last survivor keeps exactly so many.
          const threshold = survivors === 0 ? 2 : uncertaintyOf(sorted[survivors - 1]![1]);
          const said = await runStages(stages, ids, TOKENS, new Map([[layer, threshold]]));
          const staying = new Set(sorted.slice(0, survivors).map(([row]) => row));
          for (const exit of exits) {
            const expected = [...alone.get(exit.layer)!].filter(
              ([row]) => exit.layer <= layer || staying.has(row),
            );
            expect([...said.get(exit.layer)!], `exit ${exit.layer}, ${survivors} stay at ${layer}`).toEqual(
              expected,
            );
          }
        }
      }
      await release(stages);
    },
  );

  it('some leaving at every exit', async () => {
    const stages = await openStages(shape, precision, [0, 2]);
    const ids = randomIds(randomNumbers(10), ROWS, TOKENS);
    const alone = await aloneEach(stages, ids, TOKENS);
    const thresholds = new Map<number, number>();
    let staying = Array.from({ length: ROWS }, (_, row) => row);
    for (const { layer } of exits) {
      const said = await runStages(stages, ids, TOKENS, thresholds);
      expect([...said.get(layer)!.keys()]).toEqual(staying);
      for (const row of staying) expect(said.get(layer)!.get(row)).toBe(alone.get(layer)!.get(row));
      const uncertainties = staying.map((row) => uncertaintyOf(alone.get(layer)!.get(row)!));
      const threshold = [...uncertainties].sort((a, b) => a - b)[2]!;
      thresholds.set(layer, threshold);
      staying = staying.filter((_, at) => uncertainties[at]! >= threshold);
    }
    await release(stages);
  });
});

describe('float16', () => {
  // The CPU provider runs such graphs by way of float32: its bits are not a GPU's, but it shows that they are sound.
  it('says nearly what float32 says, and knows no survivors', async () => {
    const shape = checkpointShape();
    const ids = randomIds(randomNumbers(11), 6, 10);
    const float = await openStages(shape, 'fp32', [0, 2]);
    const half = await openStages(shape, 'fp16', [0, 2]);
    const expected = await runStages(float, ids, 10, new Map());
    const found = await runStages(half, ids, 10, new Map());
    expect([...found.keys()]).toEqual([0, 1, 2, 3]);
    for (const [layer, byRow] of expected) {
      for (const [row, wanted] of byRow) {
        const pairs = floats(wanted).map((value, at): [number, number] => [
          value,
          floats(found.get(layer)!.get(row)!)[at]!,
        ]);
        for (const [a, b] of pairs) expect(Math.abs(a - b)).toBeLessThan(0.02);
      }
    }
    for (const layer of [0, 1, 2]) {
      const none = await runStages(half, ids, 10, new Map([[layer, 2]]));
      expect([...none].map(([exit, byRow]) => byRow.size === (exit > layer ? 0 : 6))).toEqual([
        true,
        true,
        true,
        true,
      ]);
    }
    await release([...float, ...half]);
  });
});

/** Rows of several lengths alone and among others. */
async function expectNoTrace(stages: readonly OpenStage[], random: () => number): Promise<void> {
  for (const tokens of [1, 2, 3, 7, 16, 33, 128]) {
    const ids = randomIds(random, 11, tokens);
    const alone = await aloneEach(stages, ids, tokens);
    for (const [first, rows] of [
      [0, 2],
      [1, 3],
      [3, 8],
      [0, 11],
    ] as const) {
      const batch = ids.slice(first * tokens, (first + rows) * tokens);
      const said = await runStages(stages, batch, tokens, new Map());
      for (const [layer, byRow] of said) {
        for (const [row, found] of byRow) {
          expect(found, `exit ${layer}, ${rows} rows of ${tokens} tokens`).toBe(
            alone.get(layer)!.get(first + row),
          );
        }
      }
    }
  }
}

/** Widths off the vector sizes of every processor, and class counts on both sides of them. */
const oddShapes: readonly Partial<CheckpointShape>[] = [
  { hiddenSize: 24, heads: 2, intermediateSize: 40, classes: 2 },
  { hiddenSize: 40, heads: 4, intermediateSize: 100, classes: 5 },
  { hiddenSize: 13, heads: 1, intermediateSize: 17, classes: 6 },
  { hiddenSize: 36, heads: 3, intermediateSize: 50, classes: 7 },
  { hiddenSize: 20, heads: 4, intermediateSize: 30, classes: 20 },
  { hiddenSize: 64, heads: 8, intermediateSize: 256, classes: 3 },
  { hiddenSize: 32, heads: 2, intermediateSize: 64, classes: 4 },
];

/** Every exit, of a kind. */
const exitsOf = (layers: readonly number[], exit: Omit<RandomExit, 'layer'>): RandomExit[] =>
  layers.map((layer) => ({ layer, ...exit }));
const bitvoyage = exitsOf([0, 1], { kind: 'bitvoyage', size: 24, heads: 3 });
const narrow = { hiddenSize: 13, heads: 1, intermediateSize: 17, classes: 6 };
const wide = { hiddenSize: 32, heads: 2, intermediateSize: 64, classes: 4 };

/** What models of other programs compute otherwise. */
const variants: readonly [string, Partial<CheckpointShape>][] = [
  ['gelu_new', { ...narrow, activation: 'gelu_new' }],
  ['relu', { ...narrow, activation: 'relu' }],
  ['silu', { ...narrow, activation: 'silu' }],
  ['silu, full vectors', { ...wide, activation: 'silu' }],
  ['unbiased deviation', { ...narrow, layerNormForm: 'unbiased' }],
  ['unbiased deviation, full vectors', { ...wide, layerNormForm: 'unbiased' }],
  ['projected embeddings', { ...narrow, embeddingSize: 5 }],
  ['projected embeddings, full vectors', { ...wide, embeddingSize: 16 }],
  ['no segments', { ...wide, segments: 0 }],
  ['bitvoyage exits', { ...narrow, exits: bitvoyage }],
  [
    'bitvoyage exits of one head',
    { ...wide, exits: exitsOf([0, 1], { kind: 'bitvoyage', size: 5, heads: 1 }) },
  ],
  [
    'bitvoyage exits of eight heads, two classes',
    { ...wide, classes: 2, exits: exitsOf([0, 1], { kind: 'bitvoyage', size: 128, heads: 8 }) },
  ],
  ['gelu in the pooler', { ...narrow, exits: exitsOf([0, 1], { kind: 'pooler', activation: 'gelu' }) }],
  ['relu in the pooler', { ...narrow, exits: exitsOf([0, 1], { kind: 'pooler', activation: 'relu' }) }],
  ['any number of labels', { ...narrow, problem: 'multi-label' }],
  ['a regression', { ...wide, classes: 1, problem: 'regression', exits: exitsOf([1], { kind: 'pooler' }) }],
  ['uncertainty over the likeliest', { ...wide, classes: 30, uncertaintyTop: 5 }],
];

describe.each(precisions)('batch-mates, %s', (precision) => {
  it.each(variants)('leave no trace where a model has %s', async (_, shape) => {
    const stages = await openStages(checkpointShape({ layers: 1, ...shape }), precision, []);
    await expectNoTrace(stages, randomNumbers(shape.classes!));
    await release(stages);
  });

  it.each(oddShapes)('leave no trace in a model of $hiddenSize × $heads, $classes classes', async (odd) => {
    for (const exits of [
      [0, 1].map((layer): RandomExit => ({ layer, kind: 'fastbert', size: 5, heads: 1 })),
      [0, 1].map((layer): RandomExit => ({ layer, kind: 'fastbert', size: 24, heads: 3 })),
      [0, 1].map((layer): RandomExit => ({ layer, kind: 'pooler' })),
    ]) {
      const stages = await openStages(checkpointShape({ ...odd, layers: 1, exits }), precision, []);
      await expectNoTrace(stages, randomNumbers(odd.hiddenSize!));
      await release(stages);
    }
  });
});
