/** Checkpoints of every Hugging Face family against what transformers says; test/fixtures/huggingface-families has the script. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { layoutTensors } from '#model/checkpoint/layout-tensors.js';
import { compileBundle } from '#model/compile/compile-bundle.js';
import { StagedModel } from '#model/compile/staged-model.js';
import { openModel } from '#model/import/open-model.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';

interface ExpectedText {
  readonly text: string;
  readonly pair?: string;
  readonly ids: readonly number[];
  readonly logits: readonly number[];
}

interface Expected {
  readonly maxLength: number;
  readonly checkpoints: Readonly<
    Record<string, { readonly singles: readonly ExpectedText[]; readonly pairs: readonly ExpectedText[] }>
  >;
}

const TOLERANCE = 1e-4;
const fixtures = join(import.meta.dirname, 'fixtures/huggingface-families');

let scratch: string;
let expected: Expected;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-families-'));
  expected = JSON.parse(await readFile(join(fixtures, 'expected.json'), 'utf8'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

interface Answer {
  readonly ids: readonly number[];
  readonly probabilities: Float32Array;
}

/** Compiles a checkpoint and asks its one exit about all texts at once, in batches of one length. */
async function ask(name: string, rows: readonly ExpectedText[]): Promise<Answer[]> {
  const pairs = rows[0]!.pair === undefined ? undefined : rows.map(({ pair }) => pair!);
  const task = pairs === undefined ? 'single' : 'pair';
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
  // What the work of a row is counted with.
  expect(manifest.geometry.embeddingSize).toBe(name === 'electra' ? 8 : undefined);
  const classes = manifest.labels.length;
  const { specialTokens: rule, maxLength } = manifest;
  const tokenizer = await TextTokenizer.load(out, { rule, maxLength });
  const tokens = tokenizer.tokenize(
    rows.map(({ text }) => text),
    pairs,
  );
  const stages = layoutOf(manifest).stages.map(({ layers, exits }, index) => ({
    embeds: index === 0,
    layers,
    exits,
  }));
  const model = await StagedModel.open(stageFiles, stages, classes);
  const { exits } = await model.opinions(tokens);
  await model.release();
  const { probabilities } = exits.get(2)!;
  return rows.map((_, row) => ({
    ids: [...tokens.ids.subarray(tokens.offsets[row], tokens.offsets[row + 1])],
    probabilities: probabilities.subarray(row * classes, (row + 1) * classes),
  }));
}

/** Logits of a softmax are known up to a constant: those whose mean is 0. */
function centred(logits: readonly number[]): number[] {
  const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length;
  return logits.map((logit) => logit - mean);
}

function largestDifference(rows: readonly ExpectedText[], answers: readonly Answer[]): number {
  let largest = 0;
  for (const [row, { logits }] of rows.entries()) {
    const found = centred([...answers[row]!.probabilities].map(Math.log));
    for (const [label, logit] of centred(logits).entries()) {
      largest = Math.max(largest, Math.abs(found[label]! - logit));
    }
  }
  return largest;
}

describe.each([
  ['bert-gelu-new', 'BERT'],
  ['bert-silu', 'BERT'],
  ['roberta', 'RoBERTa'],
  ['roberta-two-segments', 'RoBERTa'],
  ['xlm-roberta', 'XLM-RoBERTa'],
  ['camembert', 'CamemBERT'],
  ['distilbert', 'DistilBERT'],
  ['electra', 'ELECTRA'],
  ['ernie', 'ERNIE'],
])('%s', (name, family) => {
  it(`is read as ${family}, whole`, async () => {
    const checkpoint = await openModel(join(fixtures, name));
    for (const { name: tensor, shape } of layoutTensors(checkpoint.config)) checkpoint.locate(tensor, shape);
    expect(checkpoint.format).toBe(`Hugging Face ${family}`);
    expect(checkpoint.config.labels).toEqual(['red', 'green', 'blue']);
    expect(checkpoint.unread()).toEqual([]);
    await checkpoint.close();
  });

  it.each(['singles', 'pairs'] as const)('gives transformers’ ids and logits: %s', async (kind) => {
    const rows = expected.checkpoints[name]![kind];
    const answers = await ask(name, rows);
    expect(answers.map(({ ids }) => ids)).toEqual(rows.map(({ ids }) => ids));
    expect(largestDifference(rows, answers)).toBeLessThan(TOLERANCE);
    const logits = rows.flatMap((row) => centred(row.logits));
    expect(Math.max(...logits) - Math.min(...logits)).toBeGreaterThan(1);
  });
});

describe.each<[string, string, string[]]>([
  ['bert-bare', 'BERT', ['pooler.dense.bias', 'pooler.dense.weight']],
  [
    'roberta-masked-lm',
    'RoBERTa',
    [
      'lm_head.bias',
      'lm_head.decoder.bias',
      'lm_head.decoder.weight',
      'lm_head.dense.bias',
      'lm_head.dense.weight',
      'lm_head.layer_norm.bias',
      'lm_head.layer_norm.weight',
    ],
  ],
  ['distilbert-bare', 'DistilBERT', []],
  [
    'electra-discriminator',
    'ELECTRA',
    [
      'discriminator_predictions.dense.bias',
      'discriminator_predictions.dense.weight',
      'discriminator_predictions.dense_prediction.bias',
      'discriminator_predictions.dense_prediction.weight',
    ],
  ],
])('%s, a bare backbone', (name, family, dropped) => {
  it(`is read as ${family}, without what was on it in training`, async () => {
    const checkpoint = await openModel(join(fixtures, name));
    expect(checkpoint.format).toBe(`Hugging Face ${family}`);
    expect(checkpoint.config).toMatchObject({ labels: [], exits: [] });
    for (const { name: tensor, shape } of layoutTensors(checkpoint.config)) {
      expect((await checkpoint.tensor(tensor, shape)).some((value) => value !== 0)).toBe(true);
    }
    expect(checkpoint.unread().sort()).toEqual(dropped);
    await checkpoint.close();
  });

  it('cannot be compiled before it is trained', async () => {
    const compiled = compileBundle({
      checkpoint: join(fixtures, name),
      out: join(scratch, name),
      force: false,
      precision: 'fp32',
      minAgreement: 0.99,
      tool: 'test',
    });
    await expect(compiled).rejects.toThrow(/bare backbone/);
  });
});
