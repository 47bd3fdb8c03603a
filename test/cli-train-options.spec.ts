/** What `sluice train` and `sluice distil` learn where they are told to learn otherwise. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LetterCorpus } from './letter-corpus.js';
import { jsonLines } from './mail-sample.js';
import { CliProcess, runCli } from './run-cli.js';
import { trainingBackend } from './training/training-backend.js';

const base = join(import.meta.dirname, 'fixtures/training');
const corpus = new LetterCorpus(5);
const turned = { early: 'late', late: 'early' } as const;
const { SLUICE_TFJS_NODE } = process.env;
const env = SLUICE_TFJS_NODE === undefined ? {} : { SLUICE_TFJS_NODE };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-options-'));
  const write = (name: string, rows: readonly object[]): Promise<void> =>
    writeFile(join(folder, name), jsonLines(rows));
  const [train, dev] = [corpus.rows(300), corpus.rows(100)];
  await write('train.jsonl', train);
  await write('dev.jsonl', dev);
  await write(
    'turned.jsonl',
    train.map(({ text, label }) => ({ text, label: turned[label] })),
  );
  await write(
    'turned-dev.jsonl',
    dev.map(({ text, label }) => ({ text, label: turned[label] })),
  );
  // The label is that of the second text, which is one letter, again and again; the first one is any letter.
  const pairs = (count: number): object[] =>
    corpus.rows(count).map(({ text, label }) => ({
      text: corpus.row().text[0]!,
      pair: Array.from({ length: 5 }, () => text[0]!).join(' '),
      label,
    }));
  await write('pairs.jsonl', pairs(300));
  await write('pairs-dev.jsonl', pairs(100));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const backend = `--backend=${trainingBackend}`;
const common = ['--exit-size=16', '--batch-tokens=128', '--rate=0.01'];
const learning = ['train', `--base=${base}`, '--new-head', ...common];
const onLetters = [...learning, '--task=single', '--data=train.jsonl', '--dev=dev.jsonl'];

interface Outcome {
  readonly dev: readonly { readonly layer: number; readonly share: number }[];
}

async function succeed(...args: string[]): Promise<Outcome> {
  const { end, stdout, stderr } = await runCli([...args, '--json'], { cwd: folder, env });
  expect(end, stderr).toBe(0);
  return JSON.parse(stdout);
}

it('pairs: learns what the second text alone tells', async () => {
  const data = ['--data=pairs.jsonl', '--dev=pairs-dev.jsonl', '--pair-field=pair'];
  const { dev } = await succeed(...learning, '--task=pair', ...data, '--epochs=8', backend, '--out=pairs');
  expect(dev[0]!.share).toBeGreaterThan(0.9);
  const config: unknown = JSON.parse(await readFile(join(folder, 'pairs/config.json'), 'utf8'));
  expect(config).toMatchObject({ sluice: { task: 'pair' } });
});

it('from scratch: a new encoder of another shape learns', async () => {
  const shape = ['--from-scratch=1x24x2', '--epochs=8'];
  const { dev } = await succeed(...onLetters, ...shape, '--class-weights=balanced', backend, '--out=scratch');
  expect(dev).toEqual([{ layer: 1, share: expect.any(Number) }]);
  expect(dev[0]!.share).toBeGreaterThan(0.9);
  const config: unknown = JSON.parse(await readFile(join(folder, 'scratch/config.json'), 'utf8'));
  expect(config).toMatchObject({ num_hidden_layers: 1, hidden_size: 24, intermediate_size: 96 });
});

it("hard labels: the exits learn the rows' own labels, whatever the last exit says", async () => {
  await succeed(...onLetters, '--epochs=5', backend, '--out=trained');
  const data = ['--data=turned.jsonl', '--dev=turned-dev.jsonl', '--label-field=label'];
  const distil = ['distil', '--model=trained', ...common, ...data, '--epochs=4', backend];
  const { dev } = await succeed(...distil, '--hard-labels=1', '--out=hard');
  expect(dev.map(({ layer }) => layer)).toEqual([0, 1, 2]);
  expect(dev[1]!.share).toBeGreaterThan(0.9);
  expect(dev[2]!.share).toBeLessThan(0.1);
});

it('a second command is refused while one works on its output, and a new backend is told of', async () => {
  const long = [...onLetters, '--epochs=20', '--checkpoint-steps=5', '--out=long'];
  const first = new CliProcess([...long, '--backend=wasm'], { cwd: folder, env });
  await first.saying(/training: [1-9]\d? %/);
  const second = await runCli(long, { cwd: folder, env });
  expect([second.end, second.stderr]).toEqual([
    1,
    expect.stringContaining(`long.training is in use by process ${first.pid}`),
  ]);
  first.kill('SIGINT');
  expect((await first.ended).stderr).toContain('Stopped at step');
  const third = new CliProcess([...long, '--backend=cpu'], { cwd: folder, env });
  const note = 'Going on with cpu: its numbers differ a little from those of wasm';
  await third.saying(new RegExp(note));
  third.kill('SIGKILL');
  await third.ended;
});
