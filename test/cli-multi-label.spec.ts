/** Models that give a text any number of labels, or a number: the real `sluice` from checkpoint to output. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointShape, randomNumbers, randomText, writeRandomCheckpoint } from './random-checkpoint.js';
import type { CliEnd } from './run-cli.js';
import { runCli } from './run-cli.js';

const fixtures = join(import.meta.dirname, 'fixtures/huggingface-families');

interface ExpectedText {
  readonly text: string;
  readonly logits: readonly number[];
}

interface OutputRow {
  readonly text: string;
  readonly labels: readonly string[];
  readonly exit_layer: number;
  readonly uncertainty: number;
}

let folder: string;
let expected: { readonly checkpoints: Record<string, { readonly singles: readonly ExpectedText[] }> };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-multi-label-'));
  expected = JSON.parse(await readFile(join(fixtures, 'expected.json'), 'utf8'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const sluice = (...args: string[]): Promise<CliEnd> =>
  runCli(args, { cwd: folder, env: { SLUICE_CACHE: join(folder, 'cache') } });

async function succeed(...args: string[]): Promise<string> {
  const { end, stdout, stderr } = await sluice(...args);
  expect(end, stderr).toBe(0);
  return stdout;
}

const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');

const rowsOf = <Row>(jsonl: string): Row[] =>
  jsonl
    .trimEnd()
    .split('\n')
    .map((line): Row => JSON.parse(line));

const writeRows = (name: string, rows: readonly object[]): Promise<void> =>
  writeFile(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

describe('a multi-label head of Hugging Face', () => {
  const model = join(fixtures, 'bert-multi-label');
  const names = ['red', 'green', 'blue'];
  let texts: readonly ExpectedText[];
  let sigmoids: number[][];
  let labels: string[][];

  beforeAll(async () => {
    texts = expected.checkpoints['bert-multi-label']!.singles;
    sigmoids = texts.map(({ logits }) => logits.map((logit) => 1 / (1 + Math.exp(-logit))));
    labels = sigmoids.map((row) => names.filter((_, index) => row[index]! >= 0.5));
    await writeRows(
      'texts.jsonl',
      texts.map(({ text }, row) => ({ text, labels: labels[row] })),
    );
  });

  it('gives the labels that the model gives, as a list', async () => {
    await succeed('compile', model, '--max-length', '24', '--out', 'colours');
    await succeed('label', 'texts.jsonl', '-m', 'colours', '--probabilities', '--out', 'out.jsonl');
    const rows = rowsOf<OutputRow & Record<string, number>>(await read('out.jsonl'));
    expect(new Set(labels.map((each) => each.length)).size).toBeGreaterThan(1);
    expect(rows.map((row) => row.labels)).toEqual(labels);
    for (const [row, found] of rows.entries()) {
      for (const [index, name] of names.entries()) {
        expect(Math.abs(found[`probability_${name}`]! - sigmoids[row]![index]!)).toBeLessThan(1e-4);
      }
      expect(Object.keys(found)).not.toContain('confidence');
    }
  });

  it('compares them with the lists that the corpus has', async () => {
    const stdout = await succeed(
      'label',
      'texts.jsonl',
      '-m',
      'colours',
      '--label-field',
      'labels',
      '--out',
      'quality.jsonl',
    );
    expect(stdout).toMatch(/all labels right for 100\.0 %.*micro-F1/s);
    expect(
      rowsOf<{ input_labels: string[] }>(await read('quality.jsonl')).map((row) => row.input_labels),
    ).toEqual(labels);
    const wrong = labels.map((each, row) => (row === 0 ? [...each, 'pink'] : row === 1 ? [] : each));
    await writeFile(
      join(folder, 'wrong.csv'),
      `text,colours\n${texts.map(({ text }, row) => `"${text.replaceAll('"', '""')}",${wrong[row]!.join('|')}\n`).join('')}`,
    );
    await succeed(
      'label',
      'wrong.csv',
      '-m',
      'colours',
      '--label-field',
      'colours',
      '--out',
      'wrong.out.csv',
    );
    const { labelSets } = JSON.parse(await read('wrong.out.csv.run/report.json'));
    const known = texts.length - 1;
    const equal = labels[1]!.length === 0 ? known : known - 1;
    expect(labelSets).toMatchObject({ rows: known, unknownLabels: 1, subsetAccuracy: equal / known });
    const given = wrong.slice(1).filter((each) => each.includes('red')).length;
    expect(labelSets.classes[0]).toMatchObject({ label: 'red', rows: given });
  });

  it('writes them to csv and Parquet', async () => {
    await succeed('label', 'texts.jsonl', '-m', 'colours', '--fields', 'text', '--out', 'out.csv');
    const [head, ...lines] = (await read('out.csv')).trimEnd().split('\n');
    expect(head).toBe('text,labels,exit_layer,uncertainty');
    expect(lines.map((line) => line.split(',').at(-3))).toEqual(labels.map((each) => each.join('|')));
    await succeed('label', 'texts.jsonl', '-m', 'colours', '--fields', 'text', '--out', 'out.parquet');
    await succeed('label', 'out.parquet', '-m', 'colours', '--label-field', 'labels', '--out', 'again.jsonl');
    expect(rowsOf<OutputRow>(await read('again.jsonl')).map((row) => row.labels)).toEqual(labels);
    expect(JSON.parse(await read('again.jsonl.run/report.json')).labelSets.subsetAccuracy).toBe(1);
  });

  it('has thresholds of its own', async () => {
    await succeed(
      'compile',
      model,
      '--max-length',
      '24',
      '--thresholds',
      'red=0,green=1',
      '--out',
      'shifted',
    );
    await succeed('label', 'texts.jsonl', '-m', 'shifted', '--out', 'shifted.jsonl');
    const rows = rowsOf<OutputRow>(await read('shifted.jsonl'));
    expect(rows.map((row) => row.labels)).toEqual(
      sigmoids.map(([, , blue]) => (blue! >= 0.5 ? ['red', 'blue'] : ['red'])),
    );
    const unknown = await sluice('compile', model, '--thresholds', 'pink=0.5', '--out', 'pink');
    expect(unknown).toMatchObject({ end: 2, stderr: expect.stringContaining("there is no label 'pink'") });
  });

  it('is shown by predict and inspect, and refused by evaluate', async () => {
    const one = JSON.parse(await succeed('predict', texts[0]!.text, '-m', 'colours', '--json'));
    expect(one).toMatchObject({ labels: labels[0], exit_layer: 2 });
    expect(await succeed('inspect', 'colours')).toContain('of a probability from 0.5 on');
    const evaluated = await sluice('evaluate', 'texts.jsonl', '-m', 'colours', '--label-field', 'labels');
    expect(evaluated).toMatchObject({ end: 2, stderr: expect.stringContaining('multi-label') });
  });
});

describe('a multi-label model with exits', () => {
  beforeAll(async () => {
    await writeRandomCheckpoint(join(folder, 'checkpoint'), checkpointShape({ seed: 5, classes: 6 }));
    const config = JSON.parse(await read('checkpoint/config.json'));
    await writeFile(
      join(folder, 'checkpoint/config.json'),
      JSON.stringify({ ...config, problem_type: 'multi_label_classification' }),
    );
    const random = randomNumbers(3);
    const texts = Array.from({ length: 200 }, () => ({
      text: randomText(random, 3 + Math.floor(random() * 20)),
    }));
    await writeRows('letters.jsonl', texts);
    await succeed('compile', 'checkpoint', '--out', 'exits');
  });

  it('lets texts leave early, whatever they are computed with', async () => {
    const probe = JSON.parse(await succeed('predict', 'a b c d', '-m', 'exits', '--json'));
    const speed = String(probe.exits[1].uncertainty);
    const label = (out: string, ...more: string[]): Promise<string> =>
      succeed(
        'label',
        'letters.jsonl',
        '-m',
        'exits',
        '--speed',
        speed,
        '--probabilities',
        '--out',
        out,
        ...more,
      );
    await label('many.jsonl');
    await label('few.jsonl', '--batch-tokens', '16', '--workers', '1', '--no-dedupe');
    expect(await read('few.jsonl')).toBe(await read('many.jsonl'));
    const rows = rowsOf<OutputRow>(await read('many.jsonl'));
    expect(new Set(rows.map((row) => row.exit_layer)).size).toBeGreaterThan(1);
    const report = JSON.parse(await read('many.jsonl.run/report.json'));
    expect(
      report.exits.map((exit: { rows: number }) => exit.rows).reduce((a: number, b: number) => a + b),
    ).toBe(200);
    expect(report.labels.map(({ rows: count }: { rows: number }) => count)).toEqual(
      report.labels.map(
        ({ label }: { label: string }) => rows.filter((row) => row.labels.includes(label)).length,
      ),
    );
  });
});

describe('a regression head of Hugging Face', () => {
  const model = join(fixtures, 'distilbert-regression');

  it('gives its number, at full depth', async () => {
    const texts = expected.checkpoints['distilbert-regression']!.singles;
    await writeRows(
      'scored.jsonl',
      texts.map(({ text }) => ({ text })),
    );
    await succeed('compile', model, '--max-length', '24', '--out', 'score');
    await succeed('label', 'scored.jsonl', '-m', 'score', '--out', 'scores.jsonl');
    const rows = rowsOf<{ score: number; exit_layer: number }>(await read('scores.jsonl'));
    for (const [row, { logits }] of texts.entries()) {
      expect(Math.abs(rows[row]!.score - logits[0]!)).toBeLessThan(1e-4);
      expect(Object.keys(rows[row]!)).toEqual(['text', 'score', 'exit_layer']);
    }
  });

  it.each([
    [['--speed', '0.3'], /every text runs at full depth/],
    [['--policy', 'fast'], /every text runs at full depth/],
    [['--label-field', 'text'], /its numbers are not compared/],
  ])('refuses %j in one line', async (flags, message) => {
    const { end, stderr } = await sluice(
      'label',
      'scored.jsonl',
      '-m',
      'score',
      '--out',
      'no.jsonl',
      ...flags,
    );
    expect(end).toBeGreaterThan(0);
    expect(stderr.trimEnd()).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

it('takes the uncertainty over the likeliest labels where it is asked to', async () => {
  await writeRandomCheckpoint(join(folder, 'many'), checkpointShape({ seed: 9, classes: 40 }));
  await succeed('compile', 'many', '--out', 'all');
  await succeed('compile', 'many', '--uncertainty-top', '3', '--out', 'top');
  const asked = async (model: string): Promise<{ exits: { uncertainty: number; probabilities: object }[] }> =>
    JSON.parse(await succeed('predict', 'a b c', '-m', model, '--json'));
  const [all, top] = [await asked('all'), await asked('top')];
  for (const [index, exit] of top.exits.entries()) {
    const likely = Object.values(exit.probabilities)
      .sort((a: number, b: number) => b - a)
      .slice(0, 3);
    const sum = likely.reduce((total: number, p: number) => total + p, 0);
    const entropy = likely.reduce((total: number, p: number) => total - (p / sum) * Math.log(p / sum), 0);
    expect(exit.uncertainty).toBeCloseTo(entropy / Math.log(3), 5);
    expect(exit.probabilities).toEqual(all.exits[index]!.probabilities);
  }
  const tooMany = await sluice('compile', 'many', '--uncertainty-top', '41', '--out', 'over');
  expect(tooMany).toMatchObject({ end: 2, stderr: expect.stringContaining('but the model has 40 labels') });
});
