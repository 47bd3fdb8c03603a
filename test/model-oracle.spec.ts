/** Compiled checkpoints against what PyTorch says of the same texts (`expected.jsonl` beside each checkpoint). */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { compileBundle } from '#model/compile/compile-bundle.js';
import type { CompileOptions } from '#model/compile/compile-options.js';
import type { ExitOpinions } from '#model/compile/exit-opinions.js';
import { labelsOf } from '#model/compile/exit-quality.js';
import { StagedModel } from '#model/compile/staged-model.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import { sharedFolder } from './shared-folder.js';

interface ExpectedRow {
  readonly text: string;
  readonly ids: readonly number[];
  readonly exits: readonly { layer: number; uncertainty: number; probs: readonly number[] }[];
}

const readLines = async <T>(path: string): Promise<T[]> =>
  (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map((line): T => JSON.parse(line));

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-oracle-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Compiles a shared checkpoint. */
async function compile(model: string, name: string, options: Partial<CompileOptions>): Promise<string> {
  const out = join(scratch, name);
  await compileBundle({
    checkpoint: join(sharedFolder!, 'models', model),
    out,
    force: false,
    precision: 'fp32',
    minAgreement: 0.99,
    tool: 'test',
    ...options,
  });
  return out;
}

/** What a bundle's tokenizer and exits make of texts. */
async function askBundle(
  directory: string,
  texts: readonly string[],
): Promise<{ ids: number[][]; opinions: ExitOpinions }> {
  const { manifest, stageFiles } = await openBundle(directory);
  const { specialTokens: rule, maxLength } = manifest;
  const tokens = (await TextTokenizer.load(directory, { rule, maxLength })).tokenize(texts);
  const stages = layoutOf(manifest).stages.map(({ layers, exits }, index) => ({
    embeds: index === 0,
    layers,
    exits,
  }));
  const model = await StagedModel.open(stageFiles, stages, manifest.labels.length);
  const opinions = await model.opinions(tokens);
  await model.release();
  const ids = texts.map((_, row) => [...tokens.ids.subarray(tokens.offsets[row], tokens.offsets[row + 1])]);
  return { ids, opinions };
}

function worstDifference(expected: readonly ExpectedRow[], { exits, classes }: ExitOpinions): number {
  let worst = 0;
  for (const [row, { exits: wanted }] of expected.entries()) {
    for (const { layer, probs, uncertainty } of wanted) {
      const found = exits.get(layer)!;
      for (const [c, p] of probs.entries()) {
        worst = Math.max(worst, Math.abs(found.probabilities[row * classes + c]! - p));
      }
      worst = Math.max(worst, Math.abs(found.uncertainty[row]! - uncertainty));
    }
  }
  return worst;
}

describe.skipIf(sharedFolder === undefined).each(['agnews-fastbert', 'spam-fastbert'])('%s', (model) => {
  let expected: ExpectedRow[];
  let staged: Awaited<ReturnType<typeof askBundle>>;
  beforeAll(async () => {
    expected = await readLines(join(sharedFolder!, 'models', model, 'expected.jsonl'));
    staged = await askBundle(
      await compile(model, `${model}-staged`, { stageEnds: [0, 2] }),
      expected.map(({ text }) => text),
    );
  });

  it('says in float32 what PyTorch says: ids, and every exit’s probabilities', () => {
    expect(expected).toHaveLength(200);
    expect(staged.ids).toEqual(expected.map((row) => row.ids));
    expect([...staged.opinions.exits.keys()]).toEqual(expected[0]!.exits.map(({ layer }) => layer));
    expect(worstDifference(expected, staged.opinions)).toBeLessThan(2e-4);
  });

  it('says the same, bit for bit, as one graph', async () => {
    const rows = 50;
    const whole = await askBundle(
      await compile(model, `${model}-whole`, { stageEnds: [] }),
      expected.slice(0, rows).map(({ text }) => text),
    );
    const { classes, exits } = whole.opinions;
    for (const [layer, { probabilities, uncertainty }] of exits) {
      const inStages = staged.opinions.exits.get(layer)!;
      expect(probabilities).toEqual(inStages.probabilities.slice(0, rows * classes));
      expect(uncertainty).toEqual(inStages.uncertainty.slice(0, rows));
    }
  });
});

describe.skipIf(sharedFolder === undefined)('int8', () => {
  it('labels 99 % of texts as float32 does, after calibration on 512 others', async () => {
    const expected = await readLines<ExpectedRow>(
      join(sharedFolder!, 'models/agnews-fastbert/expected.jsonl'),
    );
    const train = await readLines<{ text: string; label: string }>(
      join(sharedFolder!, 'data/agnews/train.jsonl'),
    );
    const texts = expected.map(({ text }) => text);
    const int8 = await compile('agnews-fastbert', 'int8', {
      precision: 'int8',
      calibration: { texts: train.slice(0, 512).map(({ text }) => text) },
      measure: { texts },
    });
    const { manifest } = await openBundle(int8);
    expect(manifest.quality?.texts).toBe(200);
    expect(manifest.quality?.exits.at(-1)?.agreement).toBeGreaterThanOrEqual(0.99);

    const { opinions } = await askBundle(int8, texts);
    const { classes } = opinions;
    const found = labelsOf(opinions.exits.get(6)!.probabilities, classes);
    const wanted = labelsOf(Float32Array.from(expected.flatMap(({ exits }) => exits.at(-1)!.probs)), classes);
    const agreement = found.filter((label, row) => label === wanted[row]).length / texts.length;
    expect(agreement).toBe(manifest.quality?.exits.at(-1)?.agreement);
    expect(manifest.float32Matmuls).toEqual([]);
  });
});
