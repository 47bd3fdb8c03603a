import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprint } from '#inference/fingerprint.js';
import { startStageRunner } from '#inference/start-stage-runner.js';
import type { StageRunner, Tokenizer } from '#pipeline/ports.js';
import { startTokenizer } from '#tokenizer/start-tokenizer.js';
import { checkpointShape, writeRandomCheckpoint } from '../../../../test/random-checkpoint.js';
import { compileBundle } from '../compile/compile-bundle.js';
import type { Bundle } from './bundle.js';
import { openBundle } from './bundle.js';
import { checkGolden, GoldenMismatchError } from './check-golden.js';
import type { Golden } from './golden.js';
import { layoutOf } from './manifest.js';

type GoldenText = Golden['texts'][number];

/** A bundle whose golden text number 3 says something else. */
function withGolden(bundle: Bundle, change: (text: GoldenText) => GoldenText, runtime?: string): Bundle {
  const texts = bundle.golden.texts.map((text, index) => (index === 3 ? change(text) : text));
  return { ...bundle, golden: { fingerprint: runtime ?? bundle.golden.fingerprint, texts } };
}

const shifted =
  (by: number) =>
  (text: GoldenText): GoldenText => ({
    ...text,
    exits: text.exits.map((exit) =>
      exit.layer === 2 ? { ...exit, probabilities: exit.probabilities.map((p) => p + by) } : exit,
    ),
  });

/** A runner whose probabilities depend on the size of the batch. */
const impure = (runner: StageRunner): StageRunner => ({
  concurrency: runner.concurrency,
  close: () => runner.close(),
  async run(batch) {
    const result = await runner.run(batch);
    for (const { probabilities } of result.exits) probabilities[0]! += batch.rows > 1 ? 1e-6 : 0;
    for (const { probabilities } of result.exits) probabilities[3]! += batch.rows > 1 ? 1e-6 : 0;
    return result;
  },
});

describe.each(['single', 'pair'] as const)('checkGolden, %s texts', (task) => {
  let scratch: string;
  let bundle: Bundle;
  let runner: StageRunner;
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'sluice-golden-'));
    const checkpoint = join(scratch, 'checkpoint');
    await writeRandomCheckpoint(checkpoint, checkpointShape({ task }));
    const out = join(scratch, 'bundle');
    await compileBundle({
      checkpoint,
      out,
      force: false,
      precision: 'fp32',
      stageEnds: [0, 1],
      minAgreement: 0.99,
      tool: 'test',
    });
    bundle = await openBundle(out);
    const { specialTokens: rule, maxLength } = bundle.manifest;
    tokenizer = await startTokenizer({ directory: out, rule, maxLength, threads: 1 });
    runner = await startStageRunner({
      files: bundle.stageFiles,
      layout: layoutOf(bundle.manifest),
      workers: 2,
    });
  });
  afterAll(async () => {
    await runner?.close();
    await tokenizer?.close();
    await rm(scratch, { recursive: true, force: true });
  });

  it('finds the compiler’s bits on the compiler’s machine', async () => {
    await expect(checkGolden(bundle, runner, tokenizer, fingerprint())).resolves.toEqual({ exact: true });
  });

  it('allows small differences on another runtime only', async () => {
    const other = withGolden(bundle, shifted(5e-4), 'another runtime');
    await expect(checkGolden(other, runner, tokenizer, fingerprint())).resolves.toEqual({ exact: false });
    const same = withGolden(bundle, shifted(5e-4));
    const checking = checkGolden(same, runner, tokenizer, fingerprint());
    await expect(checking).rejects.toThrow(GoldenMismatchError);
    await expect(checking).rejects.toMatchObject({ exit: 2, text: bundle.golden.texts[3]!.text });
    await expect(checking).rejects.toThrow(/exit 2 gives [\d. e-]+, expected [\d. e-]+ within 0/);
  });

  it.each([0.01, Number.NaN])('refuses probabilities that are %d off on any runtime', async (by) => {
    const broken = withGolden(bundle, shifted(by), 'another runtime');
    await expect(checkGolden(broken, runner, tokenizer, fingerprint())).rejects.toThrow(/within 0\.001/);
  });

  it('refuses another tokenizer', async () => {
    const broken = withGolden(bundle, (text) => ({ ...text, ids: text.ids.with(1, 7) }));
    await expect(checkGolden(broken, runner, tokenizer, fingerprint())).rejects.toThrow(/token ids are/);
  });

  it('refuses a runner whose rows see their batch-mates', async () => {
    const checking = checkGolden(bundle, impure(runner), tokenizer, fingerprint());
    await expect(checking).rejects.toThrow(/beside another text/);
  });
});
