/** Corpora as the FastBERT implementations have them, and pairs of texts, from the checkpoint to the report. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunReport } from '#pipeline/report/run-report.js';
import { checkpointShape, randomNumbers, randomText, writeRandomCheckpoint } from './random-checkpoint.js';
import type { CliOptions } from './run-cli.js';
import { runCli } from './run-cli.js';
import { sharedFolder } from './shared-folder.js';

let root: string;

interface Row {
  readonly label: string;
  readonly [field: string]: unknown;
}

async function sluice(args: readonly string[], options: CliOptions = {}) {
  const ended = await runCli(args, { cwd: root, ...options });
  expect(ended.end, ended.stderr).toBe(0);
  return ended;
}

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

async function labelled(out: string): Promise<{ rows: Row[]; report: RunReport }> {
  const lines = (await read(out)).split('\n').slice(0, -1);
  return {
    rows: lines.map((line): Row => JSON.parse(line)),
    report: JSON.parse(await read(`${out}.run/report.json`)),
  };
}

const label = (corpus: string, model: string, out: string, ...options: string[]): string[] => [
  'label',
  corpus,
  '--model',
  model,
  '--out',
  out,
  '--speed',
  '0.5',
  ...options,
];

const results = (rows: readonly Row[]) =>
  rows.map(({ label, confidence, exit_layer, uncertainty }) => [label, confidence, exit_layer, uncertainty]);

/** The lines of a file that have a text, cell by cell. */
const cellsOf = (content: string): string[][] =>
  content
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/\r$/, '').split('\t'));

/** Rows whose label is that of the class which their gold, a number, stands for. */
const right = (rows: readonly Row[], golds: readonly (string | undefined)[]): number =>
  rows.filter((row, index) => row.label === `class-${golds[index]}`).length;

const random = randomNumbers(5);
const pairs = Array.from({ length: 60 }, (_, id) => ({
  id,
  label: `class-${Math.floor(random() * 2)}`,
  one: randomText(random, 3 + (id % 20)),
  two: randomText(random, 3 + ((id * 7) % 30)),
}));
const texts = pairs.map(({ label, one }, row) => `${label.slice(-1)}\t${row % 9 === 0 ? '"' : ''}${one}\n`);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-conventions-'));
  const small = { layers: 2, hiddenSize: 16, intermediateSize: 32, classes: 2 };
  const exits = [0, 1, 2].map((layer) => ({ layer, kind: 'fastbert' as const, size: 8, heads: 2 }));
  const shape = checkpointShape({ ...small, exits });
  await writeRandomCheckpoint(join(root, 'single'), shape);
  await writeRandomCheckpoint(join(root, 'pair'), { ...shape, task: 'pair' });
  await writeFile(
    join(root, 'pairs.jsonl'),
    pairs.map(({ label, one, two }) => `${JSON.stringify({ label, text_a: one, text_b: two })}\n`).join(''),
  );
  await writeFile(
    join(root, 'pairs.tsv'),
    [
      'label\ttext_a\ttext_b\n',
      ...pairs.map(({ label, one, two }) => `${label.slice(-1)}\t${one}\t${two}\n`),
    ].join(''),
  );
  await writeFile(
    join(root, 'named.csv'),
    ['id,left,right\n', ...pairs.map(({ id, one, two }) => `${id},${one},${two}\n`)].join(''),
  );
  await writeFile(join(root, 'texts.tsv'), texts.join(''));
  await sluice(['compile', 'single', '--out', 'single-bundle']);
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('label<TAB>text without a header', () => {
  it('is labelled, and resumed, as what it is; on standard input, too', async () => {
    const args = label('texts.tsv', 'single-bundle', 'texts.jsonl', '--chunk-rows', '8');
    const killed = await runCli(args, { cwd: root, env: { SLUICE_CRASH_AT: 'ok-renamed:2' } });
    expect(killed.end, killed.stderr).toBe('SIGKILL');
    const resumed = await sluice(args);
    expect(resumed.stderr).toContain('Resuming the run');
    expect(resumed.stderr).toContain(
      "texts.tsv: label<TAB>text without a header (BitVoyage's convention): column 1 is the label, column 2 the text; say --header or --text-field to read it otherwise.",
    );
    expect(resumed.stderr).toContain(
      'The labels in label are numbers of classes: 0 is class-0, 1 is class-1.',
    );
    const { rows, report } = await labelled('texts.jsonl');
    const cells = cellsOf(texts.join(''));
    expect(rows.map(({ input_label, text }) => [input_label, text])).toEqual(cells);
    expect(report).toMatchObject({ rows: 60, rejected: 0 });
    expect(report.quality).toMatchObject({
      rows: 60,
      accuracy:
        right(
          rows,
          cells.map(([gold]) => gold),
        ) / 60,
    });

    const piped = label('-', 'single-bundle', 'piped.jsonl', '--format', 'tsv', '--chunk-rows', '8');
    await sluice(piped, { input: gzipSync(texts.join('')) });
    expect(await read('piped.jsonl')).toBe(await read('texts.jsonl'));
    const { quality } = (await labelled('piped.jsonl')).report;
    expect(quality).toEqual(report.quality);
  });
});

describe('pairs of texts', () => {
  it('go from the checkpoint to the prediction', async () => {
    const compiled = await sluice([
      'compile',
      'pair',
      '--calibrate',
      'pairs.jsonl',
      '--min-agreement',
      '0',
      '--out',
      'pair-bundle',
    ]);
    expect(compiled.stderr).toContain('the text is text_a, the second one text_b and the right label label');
    const manifest = JSON.parse(await read('pair-bundle/bundle.json'));
    expect(manifest).toMatchObject({ task: 'pair', precision: 'int8', quality: { texts: 60 } });
    expect(manifest.quality.exits[0].accuracy).toEqual(expect.any(Number));

    await sluice(label('pairs.jsonl', 'pair-bundle', 'one.jsonl', '--fields', 'label'));
    await sluice(label('pairs.tsv', 'pair-bundle', 'two.parquet'));
    await sluice(label('two.parquet', 'pair-bundle', 'three.jsonl', '--fields', 'text_b'));
    const byHand = ['--text-field', 'left', '--pair-field', 'right'];
    await sluice(label('named.csv', 'pair-bundle', 'four.jsonl', ...byHand));
    const [one, three, four] = await Promise.all(
      ['one', 'three', 'four'].map((name) => labelled(`${name}.jsonl`)),
    );
    expect(results(three!.rows)).toEqual(results(one!.rows));
    expect(results(four!.rows)).toEqual(results(one!.rows));
    const golds = pairs.map(({ label }) => label.slice(-1));
    const quality = { rows: 60, accuracy: right(one!.rows, golds) / 60 };
    expect(one!.report.quality).toMatchObject(quality);
    expect(JSON.parse(await read('two.parquet.run/report.json')).quality).toMatchObject(quality);
    expect(four!.report.quality).toBeUndefined();

    const evaluated = await sluice([
      'evaluate',
      'pairs.tsv',
      '--model',
      'pair-bundle',
      '--speeds',
      '0.5',
      '--no-timing',
      '--json',
    ]);
    expect(JSON.parse(evaluated.stdout).policies[0].accuracy.share).toBe(quality.accuracy);

    const predict = ['predict', pairs[0]!.one, '--model', 'pair-bundle', '--speed', '0.5', '--json'];
    const predicted = JSON.parse((await sluice([...predict, '--pair', pairs[0]!.two])).stdout);
    const first = one!.rows[0]!;
    expect(predicted).toMatchObject({ label: first.label, exit_layer: first['exit_layer'] });
    expect(predicted.uncertainty).toBe(Math.fround(Number(first['uncertainty'])));
    const words = `${pairs[0]!.one} ${pairs[0]!.two}`.split(' ').length;
    expect(predicted.tokens).toBe(words + 3);
  });

  it('for a model of single texts are first texts, which is said', async () => {
    const { stderr } = await sluice(label('pairs.tsv', 'single-bundle', 'first.jsonl'));
    expect(stderr).toContain('pairs.tsv: text_b is not read, because the model labels single texts.');
  });
});

describe.skipIf(sharedFolder === undefined)('corpora that there are', () => {
  it.each([
    ['chnsenticorp/test.tsv', ['label', 'text'], 0],
    ['douban/dev.tsv', ['label', 'text_a'], 1],
    ['sst2/dev.tsv', ['sentence', 'label'], 1],
  ])('%s', async (name, names, headers) => {
    const folder = name.split('/')[0]!;
    await mkdir(join(root, folder));
    const path = join(sharedFolder!, 'data', name);
    const out = `${folder}/out.jsonl`;
    await sluice(label(path, 'single-bundle', out, '--limit', '1000'));
    const { rows, report } = await labelled(out);
    const cells = cellsOf(await readFile(path, 'utf8')).slice(headers, headers + 1000);
    const fields = names.map((field) => (field === 'label' ? 'input_label' : field));
    expect(rows.map((row) => fields.map((field) => row[field]))).toEqual(cells);
    const golds = cells.map((row) => row[names.indexOf('label')]);
    expect(new Set(golds)).toEqual(new Set(['0', '1']));
    expect(report).toMatchObject({ rows: cells.length, rejected: 0 });
    expect(report.quality).toMatchObject({ rows: cells.length, accuracy: right(rows, golds) / cells.length });
  });
});
