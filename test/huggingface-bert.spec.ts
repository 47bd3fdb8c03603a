/** Plain Hugging Face classifiers against what transformers says; test/fixtures/huggingface-bert has the script. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '#model/bundle/bundle.js';
import { compileBundle } from '#model/compile/compile-bundle.js';
import { StagedModel } from '#model/compile/staged-model.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';

interface ExpectedText {
  readonly text: string;
  readonly pair?: string;
  readonly ids: readonly number[];
  readonly probabilities: readonly number[];
}

const fixtures = join(import.meta.dirname, 'fixtures/huggingface-bert');

let scratch: string;
let expected: {
  readonly maxLength: number;
  readonly [precision: string]: unknown;
};
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-huggingface-'));
  expected = JSON.parse(await readFile(join(fixtures, 'expected.json'), 'utf8'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Compiles a fixture, labels texts through the bundle, and returns their ids and the one exit's probabilities. */
async function askFixture(
  name: string,
  task: 'single' | 'pair',
  rows: readonly ExpectedText[],
): Promise<{ ids: number[]; probabilities: Float32Array }[]> {
  const out = join(scratch, `${name}-${task}`);
  await compileBundle({
    checkpoint: join(fixtures, name),
    out,
    force: false,
    precision: 'fp32',
    task,
    maxLength: expected.maxLength,
    stageEnds: [1],
    minAgreement: 0.99,
    tool: 'test',
  });
  const { manifest, stageFiles } = await openBundle(out);
  expect(manifest).toMatchObject({
    labels: ['red', 'green', 'blue'],
    task,
    exits: [{ layer: 2, kind: 'pooler' }],
  });
  const tokenizer = await TextTokenizer.load(out, { rule: 'cls-sep', maxLength: manifest.maxLength });
  const tokens = tokenizer.tokenize(
    rows.map(({ text }) => text),
    task === 'pair' ? rows.map(({ pair }) => pair!) : undefined,
  );
  const stages = manifest.stages.map(({ layers, exits }, index) => ({
    embeds: index === 0,
    layers: layers ?? undefined,
    exits,
  }));
  const model = await StagedModel.open(stageFiles, stages, manifest.labels.length);
  const { exits } = await model.opinions(tokens);
  await model.release();
  const { probabilities } = exits.get(2)!;
  return rows.map((_, row) => ({
    ids: [...tokens.ids.subarray(tokens.offsets[row], tokens.offsets[row + 1])],
    probabilities: probabilities.subarray(row * 3, (row + 1) * 3),
  }));
}

describe.each(['fp32', 'fp16', 'bf16'])('a BertForSequenceClassification stored in %s', (name) => {
  it.each(['single', 'pair'] as const)(
    'gives transformers’ ids and probabilities: %s texts',
    async (task) => {
      const { [`${task}s`]: rows }: { [kind: string]: readonly ExpectedText[] } = Object(expected[name]);
      const found = await askFixture(name, task, rows!);
      for (const [row, { ids, probabilities }] of found.entries()) {
        const wanted = rows![row]!;
        expect(ids).toEqual(wanted.ids);
        for (const [c, p] of wanted.probabilities.entries()) {
          expect(Math.abs(probabilities[c]! - p), `${wanted.text} ${wanted.pair}`).toBeLessThan(1e-4);
        }
      }
    },
  );
});
