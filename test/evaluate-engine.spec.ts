/** Evaluation's leaving rule against the stage engine, on real graphs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStageRunner } from '#inference/start-stage-runner.js';
import { openBundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { compileBundle } from '#model/compile/compile-bundle.js';
import type { ExitOpinions } from '#model/compile/exit-opinions.js';
import { labelsOf } from '#model/compile/exit-quality.js';
import { runnerOpinions } from '#model/compile/runner-opinions.js';
import { StageEngine } from '#pipeline/engine/stage-engine.js';
import { leavingExits } from '#pipeline/evaluation/leaving-exits.js';
import type { OpinionColumns } from '#pipeline/evaluation/opinion-columns.js';
import type { StageRunner } from '#pipeline/ports.js';
import type { ModelLayout } from '#pipeline/stage-layout.js';
import { exitLayers } from '#pipeline/stage-layout.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import { checkpointShape, randomNumbers, randomText, writeRandomCheckpoint } from './random-checkpoint.js';

let scratch: string;
let layout: ModelLayout;
let runner: StageRunner;
let tokenizer: TextTokenizer;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-evaluate-'));
  const checkpoint = join(scratch, 'checkpoint');
  const directory = join(scratch, 'bundle');
  await writeRandomCheckpoint(checkpoint, checkpointShape());
  const compiled = { checkpoint, out: directory, force: false, precision: 'fp32', tool: 'test' } as const;
  await compileBundle({ ...compiled, minAgreement: 0 });
  const { manifest, stageFiles } = await openBundle(directory);
  layout = layoutOf(manifest);
  runner = await startStageRunner({ files: stageFiles, layout, workers: 2 });
  tokenizer = await TextTokenizer.load(directory, {
    rule: manifest.specialTokens,
    maxLength: manifest.maxLength,
  });
});
afterAll(async () => {
  await runner.close();
  await rm(scratch, { recursive: true, force: true });
});

function columnsOf(opinions: ExitOpinions): OpinionColumns {
  return {
    rows: opinions.rows,
    lengths: new Int32Array(opinions.rows),
    golds: new Int32Array(opinions.rows),
    exits: [...opinions.exits].map(([layer, { probabilities, uncertainty }]) => ({
      layer,
      label: labelsOf(probabilities, opinions.classes),
      uncertainty,
    })),
  };
}

it('lets each row leave where the engine does, with the same label and uncertainty', async () => {
  const random = randomNumbers(5);
  const texts = Array.from({ length: 60 }, () => randomText(random, 3 + Math.floor(random() * 20)));
  const tokens = tokenizer.tokenize(texts);
  const opinions = columnsOf(await runnerOpinions(runner, layout.stages, tokens, layout.labels.length));
  const layers = exitLayers(layout);
  // Some thresholds are a row's own uncertainty, at which it must not leave.
  const exact = fc
    .nat(texts.length - 1)
    .chain((row) => fc.constantFrom(...opinions.exits.map(({ uncertainty }) => uncertainty[row]!)));
  const threshold = fc.oneof(exact, fc.double({ min: 0, max: 1, noNaN: true }));
  const thresholds = fc.array(threshold, { minLength: layers.length, maxLength: layers.length });
  const left = new Set<number>();
  await fc.assert(
    fc.asyncProperty(thresholds, async (thresholds) => {
      const policy = new Map(layers.map((layer, index) => [layer, thresholds[index]!]));
      const labelled = await new StageEngine(runner, layout, policy).label(tokens);
      const leaving = leavingExits(opinions, policy);
      for (const exit of leaving) left.add(exit);
      expect([...leaving].map((exit) => layers[exit])).toEqual([...labelled.exitLayer]);
      expect([...leaving].map((exit, row) => opinions.exits[exit]!.label[row])).toEqual([...labelled.label]);
      expect([...leaving].map((exit, row) => opinions.exits[exit]!.uncertainty[row])).toEqual([
        ...labelled.uncertainty,
      ]);
    }),
    { numRuns: 40 },
  );
  expect(left.size).toBe(layers.length);
});
