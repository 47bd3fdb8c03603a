/** Checkpoints of both implementations of FastBERT against what those implementations say (`expected.jsonl` beside each). */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { compileBundle } from '#model/compile/compile-bundle.js';
import { StagedModel } from '#model/compile/staged-model.js';
import { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import { runCli } from './run-cli.js';
import { sharedFolder } from './shared-folder.js';

interface ExpectedRow {
  readonly text: string;
  readonly ids: readonly number[];
  /** From layer 1 on. */
  readonly layers: readonly { uncertainty: number; probs: readonly number[] }[];
  /** By speed; a label is its name, or its number where the implementation has no names. */
  readonly exits: Readonly<Record<string, { layer: number; label: string | number }>>;
}

interface OutputRow {
  readonly label: string;
  readonly exit_layer: number;
}

/** What is recorded is rounded to six places, and computed there in an order of its own. */
const TOLERANCE = 1e-4;
const speeds = ['0.1', '0.3', '0.5', '0.8'];

const readLines = <Row>(text: string): Row[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line): Row => JSON.parse(line));

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-fastbert-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function compile(checkpoint: string, name: string): Promise<string> {
  const out = join(scratch, name);
  await compileBundle({
    checkpoint,
    out,
    force: false,
    precision: 'fp32',
    stageEnds: [1, 2],
    minAgreement: 0.99,
    tool: 'test',
  });
  return out;
}

describe
  .skipIf(sharedFolder === undefined)
  .each(['bitvoyage-bert-tiny', 'bitvoyage-ernie-tiny', 'original-en-tiny', 'original-zh-tiny'])(
  '%s',
  (folder) => {
    const checkpoint = join(sharedFolder ?? '', 'oracle', folder);
    let bundle: string;
    let rows: ExpectedRow[];
    let model: StagedModel;
    let tokenizer: TextTokenizer;
    let classes: number;

    beforeAll(async () => {
      rows = readLines(await readFile(join(checkpoint, 'expected.jsonl'), 'utf8'));
      bundle = await compile(checkpoint, folder);
      const { manifest, stageFiles } = await openBundle(bundle);
      const { specialTokens: rule, maxLength, labels } = manifest;
      classes = labels.length;
      tokenizer = await TextTokenizer.load(bundle, { rule, maxLength });
      const stages = layoutOf(manifest).stages.map(({ layers, exits }, index) => ({
        embeds: index === 0,
        layers,
        exits,
      }));
      model = await StagedModel.open(stageFiles, stages, classes);
    });
    afterAll(() => model.release());

    it('splits texts into the same tokens', () => {
      const { ids, offsets } = tokenizer.tokenize(rows.map(({ text }) => text));
      expect(rows.map((_, row) => [...ids.subarray(offsets[row], offsets[row + 1])])).toEqual(
        rows.map((row) => row.ids),
      );
    });

    /** The largest difference in a probability or uncertainty of any exit. */
    async function worstDifference(asked: readonly ExpectedRow[]): Promise<number> {
      const { exits } = await model.opinions(tokenizer.tokenize(asked.map(({ text }) => text)));
      expect([...exits.keys()]).toEqual(asked[0]!.layers.map((_, index) => index + 1));
      let worst = 0;
      for (const [row, { layers }] of asked.entries()) {
        for (const [index, { probs, uncertainty }] of layers.entries()) {
          const found = exits.get(index + 1)!;
          worst = Math.max(worst, Math.abs(found.uncertainty[row]! - uncertainty));
          for (const [label, p] of probs.entries()) {
            worst = Math.max(worst, Math.abs(found.probabilities[row * classes + label]! - p));
          }
        }
      }
      return worst;
    }

    it('gives every exit the same probabilities and uncertainty, in a corpus of all lengths', async () => {
      expect(new Set(rows.map(({ ids }) => ids.length)).size).toBeGreaterThan(20);
      expect(await worstDifference(rows)).toBeLessThan(TOLERANCE);
    });

    it('gives them to each text alone', async () => {
      for (const row of rows) expect(await worstDifference([row]), row.text).toBeLessThan(TOLERANCE);
    });

    /** What `sluice label` says of the rows. */
    async function labelled(speed: string): Promise<OutputRow[]> {
      const out = join(scratch, `${folder}-${speed}.jsonl`);
      const corpus = rows.map(({ text }) => `${JSON.stringify({ text })}\n`).join('');
      const args = ['label', '-', '--format', 'jsonl', '--model', bundle, '--speed', speed, '--out', out];
      const { end, stderr } = await runCli(args, { input: corpus });
      expect(end, stderr).toBe(0);
      return readLines(await readFile(out, 'utf8'));
    }

    it('labels at the same exit with the same label, at every recorded speed', async () => {
      const outputs = await Promise.all(speeds.map(labelled));
      for (const [index, speed] of speeds.entries()) {
        const output = outputs[index]!;
        expect(output).toHaveLength(rows.length);
        const clear = [...rows.entries()].filter(([, { layers }]) =>
          layers.every(({ uncertainty }) => Math.abs(uncertainty - Number(speed)) > TOLERANCE),
        );
        expect(clear.length).toBeGreaterThan(rows.length - 3);
        expect(clear.map(([row]) => [output[row]!.exit_layer, output[row]!.label])).toEqual(
          clear.map(([, { exits }]) => [exits[speed]!.layer, String(exits[speed]!.label)]),
        );
      }
    });
  },
);

describe.skipIf(sharedFolder === undefined)('the legacy container', () => {
  it.each(['bitvoyage-bert-tiny', 'bitvoyage-ernie-tiny'])('gives the same graphs: %s', async (folder) => {
    const checkpoint = join(sharedFolder!, 'oracle', folder);
    const zip = await openBundle(await compile(join(checkpoint, 'Epoch_3.bin'), `${folder}-zip`));
    const legacy = await openBundle(
      await compile(join(checkpoint, 'Epoch_3.legacy.bin'), `${folder}-legacy`),
    );
    expect(legacy.manifest.labels).toEqual(zip.manifest.labels);
    for (const [stage, file] of legacy.stageFiles.entries()) {
      expect((await readFile(file)).equals(await readFile(zip.stageFiles[stage]!))).toBe(true);
    }
  });
});
