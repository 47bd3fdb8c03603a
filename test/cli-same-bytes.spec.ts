/** The same rows give the same bytes, however the work is cut up. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLines, mailSample } from './mail-sample.js';
import { runCli, spamBundle } from './run-cli.js';
import { randomNumbers } from './random-checkpoint.js';

let folder: string;
let reference: string;
let mails: Awaited<ReturnType<typeof mailSample>>;
let runs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-same-'));
  mails = await mailSample(300, 160);
  await writeFile(join(folder, 'mails.jsonl'), jsonLines(mails));
  reference = await label('mails.jsonl', []);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** @returns the output */
async function label(corpus: string, options: readonly string[]): Promise<string> {
  const out = `out-${(runs += 1)}.jsonl`;
  const args = ['label', corpus, '--model', spamBundle, '--speed', '0.03', '--probabilities', '--out', out];
  const { end, stderr } = await runCli([...args, ...options], { cwd: folder });
  expect(end, stderr).toBe(0);
  return readFile(join(folder, out), 'utf8');
}

interface OutputRow {
  readonly id: string;
  readonly exit_layer: number;
}

const parsed = (output: string): OutputRow[] =>
  output
    .trimEnd()
    .split('\n')
    .map((line): OutputRow => JSON.parse(line));

describe('the output of sluice label', () => {
  it('has rows from every stage, so that the comparisons below say something', () => {
    const layers = parsed(reference).map((row) => row.exit_layer);
    expect(layers).toHaveLength(mails.length);
    expect(layers.filter((layer) => layer === 0).length).toBeGreaterThan(50);
    expect(layers.filter((layer) => layer === 1 || layer === 2).length).toBeGreaterThan(20);
    expect(layers.filter((layer) => layer > 2).length).toBeGreaterThan(20);
  });

  it.each([
    ['--batch-tokens', '512'],
    ['--batch-tokens', '8192'],
    ['--workers', '1'],
    ['--workers', '2'],
    ['--tokenizer-threads', '2'],
    ['--chunk-rows', '64'],
    ['--chunk-rows', '1'],
    ['--survivor-memory', '1'],
  ])('is the same with %s %s', async (option, value) => {
    expect(await label('mails.jsonl', [option, value])).toBe(reference);
  });

  it('is the same for each row when the rows come in another order', async () => {
    const random = randomNumbers(7);
    const shuffled = mails
      .map((mail) => ({ mail, key: random() }))
      .toSorted((one, other) => one.key - other.key)
      .map(({ mail }) => mail);
    await writeFile(join(folder, 'shuffled.jsonl'), jsonLines(shuffled));
    const output = await label('shuffled.jsonl', ['--chunk-rows', '50', '--batch-tokens', '2048']);
    expect(parsed(output).map(({ id }) => id)).toEqual(shuffled.map(({ id }) => id));
    expect(output.split('\n').sort()).toEqual(reference.split('\n').sort());
  });
});
