/** Stage engine and stage threads over bundles compiled from a real checkpoint. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GraphLoadError } from '#inference/onnx-graph.js';
import { StageThreadError } from '#inference/stage-thread-handle.js';
import { startStageRunner } from '#inference/start-stage-runner.js';
import { openBundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { compileBundle } from '#model/compile/compile-bundle.js';
import type { LabelColumns, TokenColumns } from '#pipeline/columns.js';
import { StageEngine } from '#pipeline/engine/stage-engine.js';
import { policyOfSpeed } from '#pipeline/exit-policy.js';
import type { StageBatch, StageRunner } from '#pipeline/ports.js';
import type { ModelLayout } from '#pipeline/stage-layout.js';
import { sharedFolder } from './shared-folder.js';

interface ExpectedRow {
  readonly text: string;
  readonly ids: readonly number[];
  readonly exits: readonly { layer: number; uncertainty: number; probs: readonly number[] }[];
}

const precisions = ['fp32', 'int8'] as const;
type Precision = (typeof precisions)[number];

/** As many lengths, and rows of each, as keep the test short. */
const LENGTHS = 4;
const ROWS = 5;

describe.skipIf(sharedFolder === undefined)('stage engine over stage threads', () => {
  const checkpoint = join(sharedFolder ?? '', 'models/agnews-fastbert');
  let scratch: string;
  let rows: ExpectedRow[];
  const bundles = new Map<Precision, { files: readonly string[]; layout: ModelLayout }>();

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'sluice-stages-'));
    const lines = (await readFile(join(checkpoint, 'expected.jsonl'), 'utf8')).trim().split('\n');
    rows = commonLengths(lines.map((line): ExpectedRow => JSON.parse(line)));
    for (const precision of precisions) {
      const out = join(scratch, precision);
      await compileBundle({
        checkpoint,
        out,
        force: false,
        precision,
        stageEnds: [0, 2],
        calibration: { texts: rows.slice(0, 16).map(({ text }) => text) },
        minAgreement: 0.5,
        tool: 'test',
      });
      const bundle = await openBundle(out);
      bundles.set(precision, { files: bundle.stageFiles, layout: layoutOf(bundle.manifest) });
    }
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  const bundleOf = (precision: Precision) => {
    const bundle = bundles.get(precision);
    if (bundle === undefined) throw new Error(`No ${precision} bundle was compiled.`);
    return bundle;
  };

  async function withRunner<T>(
    precision: Precision,
    workers: number,
    use: (runner: StageRunner) => Promise<T>,
  ): Promise<T> {
    const runner = await startStageRunner({ ...bundleOf(precision), workers });
    try {
      return await use(runner);
    } finally {
      await runner.close();
    }
  }

  const labelWith = (
    precision: Precision,
    workers: number,
    speed: number,
    batchTokens: number,
    order: readonly number[],
  ) =>
    withRunner(precision, workers, async (runner) => {
      const { layout } = bundleOf(precision);
      const engine = new StageEngine(runner, layout, policyOfSpeed(speed, layout), { batchTokens });
      return inOrder(await engine.label(tokensOf(order.map((row) => rows[row]?.ids ?? []))), order);
    });

  it.each(precisions)('%s: a label is the same bits whatever the batch', async (precision) => {
    const natural = rows.map((_, row) => row);
    const shuffled = [...natural].sort((a, b) => ((a * 7919) % 1009) - ((b * 7919) % 1009));
    for (const speed of [0, 0.2]) {
      const alone = await labelWith(precision, 1, speed, 1, natural);
      expect(new Set(alone.exitLayer).size).toBeGreaterThan(speed === 0 ? 0 : 2);
      const longest = Math.max(...rows.map(({ ids }) => ids.length));
      for (const batchTokens of [2 * longest, 1024, 8192]) {
        expect(await labelWith(precision, 2, speed, batchTokens, shuffled)).toEqual(alone);
      }
    }
  });

  it('fp32: every row leaves where the reference has it leave, with its probabilities', async () => {
    for (const speed of [0, 0.2]) {
      const labels = await labelWith('fp32', 2, speed, 1024, [...rows.keys()]);
      for (const [row, { exits }] of rows.entries()) {
        const exit = exits.find(({ uncertainty }) => uncertainty < speed) ?? exits[exits.length - 1];
        expect(labels.exitLayer[row]).toBe(exit?.layer);
        const got = labels.probabilities.subarray(row * labels.classes, (row + 1) * labels.classes);
        for (const [index, probability] of got.entries()) {
          expect(Math.abs(probability - (exit?.probs[index] ?? Number.NaN))).toBeLessThan(2e-4);
        }
      }
    }
  });

  it('goes on after a batch that the graph refuses', async () => {
    await withRunner('fp32', 1, async (runner) => {
      await expect(runner.run(lastStageBatch(5))).rejects.toThrow(StageThreadError);
      await expect(runner.run(lastStageBatch(3 * 384))).resolves.toMatchObject({ exits: { length: 4 } });
    });
  });

  it('rejects what waits when it is closed, and everything after that', async () => {
    const runner = await startStageRunner({ ...bundleOf('fp32'), workers: 1 });
    const ids = Int32Array.of(101, 102);
    const batch = { stage: 0, rows: 1, tokens: 2, policy: new Float32Array(1) };
    const waiting = runner.run({ ...batch, input: { kind: 'ids', ids } });
    const [outcome] = await Promise.allSettled([waiting, runner.close()]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'StageThreadError' } });
    await expect(
      runner.run({ ...batch, input: { kind: 'ids', ids: Int32Array.of(101, 102) } }),
    ).rejects.toThrow(StageThreadError);
  });

  it('names the file that cannot be loaded', async () => {
    const { files, layout } = bundleOf('fp32');
    const broken = join(scratch, 'broken.onnx');
    await writeFile(broken, (await readFile(files[2] ?? '')).subarray(0, 1000));
    const otherStage = join(scratch, 'other-stage.onnx');
    await copyFile(files[1] ?? '', otherStage);
    for (const third of [broken, otherStage, join(scratch, 'absent.onnx')]) {
      const start = startStageRunner({ files: [files[0] ?? '', files[1] ?? '', third], layout, workers: 2 });
      await expect(start).rejects.toThrow(GraphLoadError);
      await expect(start).rejects.toThrow(third);
    }
  });
});

/** One row of three tokens, before the last four layers, with so many numbers of hidden states. */
const lastStageBatch = (numbers: number): StageBatch => ({
  stage: 2,
  rows: 1,
  tokens: 3,
  policy: new Float32Array(4),
  input: { kind: 'hidden', hidden: new Float32Array(numbers) },
});

/** The rows of the lengths that most rows have, a few of each. */
function commonLengths(rows: readonly ExpectedRow[]): ExpectedRow[] {
  const counts = new Map<number, number>();
  for (const { ids } of rows) counts.set(ids.length, (counts.get(ids.length) ?? 0) + 1);
  const common = [...counts].sort((a, b) => b[1] - a[1]).slice(0, LENGTHS);
  return common.flatMap(([length]) => rows.filter(({ ids }) => ids.length === length).slice(0, ROWS));
}

function tokensOf(rows: readonly (readonly number[])[]): TokenColumns {
  const offsets = new Int32Array(rows.length + 1);
  for (const [row, ids] of rows.entries()) offsets[row + 1] = (offsets[row] ?? 0) + ids.length;
  return { ids: Int32Array.from(rows.flat()), offsets, truncated: new Uint8Array(rows.length) };
}

/** Undoes a shuffle: row `order[i]` of the result is row i of the labels. */
function inOrder(labels: LabelColumns, order: readonly number[]): LabelColumns {
  const { rows, classes } = labels;
  const sorted = {
    rows,
    classes,
    label: new Uint16Array(rows),
    exitLayer: new Uint8Array(rows),
    uncertainty: new Float32Array(rows),
    probabilities: new Float32Array(rows * classes),
  };
  for (const [at, row] of order.entries()) {
    sorted.label[row] = labels.label[at] ?? 0;
    sorted.exitLayer[row] = labels.exitLayer[at] ?? 0;
    sorted.uncertainty[row] = labels.uncertainty[at] ?? 0;
    sorted.probabilities.set(labels.probabilities.subarray(at * classes, (at + 1) * classes), row * classes);
  }
  return sorted;
}
