/** From a backbone and a labelled file to a model that labels: the real `sluice`. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LetterCorpus } from './letter-corpus.js';
import { CliProcess, runCli } from './run-cli.js';
import { trainingBackend } from './training/training-backend.js';

const base = join(import.meta.dirname, 'fixtures/training');
const letters = new LetterCorpus(5);
const jsonl = (rows: readonly object[]): string => rows.map((each) => `${JSON.stringify(each)}\n`).join('');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-train-'));
  await writeFile(join(folder, 'train.jsonl'), jsonl(letters.rows(300)));
  await writeFile(join(folder, 'dev.jsonl'), jsonl(letters.rows(100)));
  await writeFile(join(folder, 'texts.jsonl'), jsonl(letters.rows(300).map(({ text }) => ({ text }))));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const common = ['--backend', trainingBackend, '--exit-size', '16', '--batch-tokens', '128'];
const learning = [
  'train',
  '--base',
  base,
  '--new-head',
  '--task',
  'single',
  '--rate',
  '0.01',
  '--dropout',
  '0.1',
  ...common,
];
const trainArgs = [...learning, '--data', 'train.jsonl', '--dev', 'dev.jsonl'];

/** Where the native backend is, if it is what is tested. */
const { SLUICE_TFJS_NODE } = process.env;
const env = SLUICE_TFJS_NODE === undefined ? {} : { SLUICE_TFJS_NODE };

const sluice = (...args: string[]): ReturnType<typeof runCli> => runCli(args, { cwd: folder, env });
const read = (path: string): Promise<Buffer> => readFile(join(folder, path));

interface Outcome {
  readonly end: string;
  readonly steps: number;
  readonly dev: readonly { readonly layer: number; readonly share: number }[];
}

async function succeed(...args: string[]): Promise<Outcome> {
  const { end, stdout, stderr } = await sluice(...args, '--json');
  expect(end, stderr).toBe(0);
  return JSON.parse(stdout);
}

it('trains, distils without labels, compiles and labels', async () => {
  const trained = await succeed(...trainArgs, '--epochs', '8', '--out', 'trained');
  expect(trained.dev.map(({ layer }) => layer)).toEqual([2]);
  expect(trained.dev[0]!.share).toBeGreaterThan(0.95);
  const distil = [
    'distil',
    '--model',
    'trained',
    '--data',
    'texts.jsonl',
    '--dev',
    'dev.jsonl',
    '--rate',
    '0.01',
  ];
  const distilled = await succeed(...distil, ...common, '--epochs', '6', '--out', 'distilled');
  expect(distilled.dev.map(({ layer }) => layer)).toEqual([0, 1, 2]);
  // Without labels it is agreement with the last exit, which agrees with itself.
  expect(distilled.dev[2]!.share).toBe(1);
  expect(distilled.dev[1]!.share).toBeGreaterThan(0.95);
  expect((await readdir(join(folder, 'distilled'))).sort()).toEqual([
    'README.md',
    'config.json',
    'model.safetensors',
    'tokenizer.json',
    'training.jsonl',
    'training.svg',
  ]);
  expect((await read('distilled/README.md')).toString()).toContain(
    'exits distilled from the last (KL teacher‖student',
  );
  // Nothing of the work is left beside it.
  expect((await readdir(folder)).filter((name) => name.includes('.training'))).toEqual([]);

  expect((await sluice('compile', 'distilled', '--out', 'bundle')).end).toBe(0);
  const label = [
    'label',
    'dev.jsonl',
    '-m',
    'bundle',
    '--speed',
    '0.5',
    '--out',
    'out.jsonl',
    '--label-field',
    'label',
  ];
  expect((await sluice(...label)).end).toBe(0);
  const out = (await read('out.jsonl')).toString().trimEnd().split('\n');
  const right = out.filter((line) => {
    const { label, input_label }: { label: string; input_label: string } = JSON.parse(line);
    return label === input_label;
  });
  expect(right.length / out.length).toBeGreaterThan(0.9);
  expect(out.some((line) => line.includes('"exit_layer":0') || line.includes('"exit_layer":1'))).toBe(true);
});

it('measures dev by labels that the texts to learn from do not have', async () => {
  const distil = ['distil', '--model', 'trained', '--data', 'texts.jsonl', '--dev', 'dev.jsonl'];
  const args = ['--label-field', 'label', ...common, '--epochs', '1', '--out', 'measured'];
  const { dev } = await succeed(...distil, ...args);
  expect(dev.map(({ layer }) => layer)).toEqual([0, 1, 2]);
  expect((await read('measured/README.md')).toString()).toContain('| exit | right |');
});

it('learns the same whether hidden states are kept or computed anew', async () => {
  const distil = ['distil', '--model', 'trained', '--data', 'texts.jsonl', ...common, '--epochs', '2'];
  await succeed(...distil, '--out', 'kept');
  await succeed(...distil, '--out', 'anew', '--cache-size', '0');
  expect(await read('anew/model.safetensors')).toEqual(await read('kept/model.safetensors'));
});

it('trains all exits at once', async () => {
  for (const how of ['sum', 'alternate']) {
    const joint = await succeed(...trainArgs, '--joint', how, '--epochs', '8', '--out', how);
    expect(joint.dev.map(({ layer }) => layer)).toEqual([0, 1, 2]);
    expect(joint.dev[2]!.share).toBeGreaterThan(0.9);
  }
});

describe('a training that is disturbed', () => {
  const long = [...trainArgs, '--epochs', '8', '--checkpoint-steps', '7'];
  let expected: Buffer;
  beforeAll(async () => {
    await succeed(...long, '--out', 'undisturbed');
    expected = await read('undisturbed/model.safetensors');
  });
  beforeEach(() => rm(join(folder, 'disturbed'), { recursive: true, force: true }));

  it.each([
    [
      'its process is killed',
      /training: 3\d %/,
      (pid: number): unknown => process.kill(trainingOf(pid), 'SIGKILL'),
      'ended: signal SIGKILL',
    ],
    [
      'the command is stopped',
      /training: 2\d %/,
      (pid: number): unknown => process.kill(pid, 'SIGINT'),
      'Stopped at step',
    ],
    ['the command is killed', /training: 4\d %/, (pid: number): unknown => process.kill(pid, 'SIGKILL'), ''],
  ] as const)('goes on to the same numbers when %s', async (_, when, disturb, message) => {
    const command = [...long, '--out', 'disturbed'];
    const training = new CliProcess(command, { cwd: folder, env });
    await training.saying(when);
    disturb(training.pid);
    const { end, stderr } = await training.ended;
    expect(end).not.toBe(0);
    expect(stderr).toContain(message);
    const again = await sluice(...command);
    expect([again.end, again.stderr]).toEqual([
      0,
      expect.stringMatching(/Going on from the checkpoint of step [1-9]\d*\./),
    ]);
    expect(await read('disturbed/model.safetensors')).toEqual(expected);
    // The log of the whole training, each step once.
    expect(events(await read('disturbed/training.jsonl'))).toEqual(
      events(await read('undisturbed/training.jsonl')),
    );
  });

  it('is not gone on with by other options', async () => {
    const training = new CliProcess([...long, '--out', 'disturbed'], { cwd: folder, env });
    await training.saying(/training: 1\d %/);
    process.kill(training.pid, 'SIGINT');
    await training.ended;
    const other = await sluice(...long, '--seed', '2', '--out', 'disturbed');
    expect([other.end, other.stderr]).toEqual([
      2,
      expect.stringContaining('training of other data or options'),
    ]);
    // Unless it is told to replace what is there.
    await succeed(...trainArgs, '--epochs', '1', '--out', 'disturbed', '--force');
  });

  it('begins anew with --force where its checkpoints are damaged', async () => {
    const training = new CliProcess([...long, '--out', 'disturbed'], { cwd: folder, env });
    await training.saying(/training: 1\d %/);
    process.kill(training.pid, 'SIGINT');
    await training.ended;
    for (const name of await readdir(join(folder, 'disturbed.training'))) {
      if (name.startsWith('step-')) await rm(join(folder, 'disturbed.training', name, 'second.safetensors'));
    }
    const again = await sluice(...long, '--out', 'disturbed');
    expect([again.end, again.stderr]).toEqual([
      1,
      expect.stringMatching(/^sluice: \S+step-\d+ cannot be read: .*--force\.$/m),
    ]);
    await succeed(...long, '--out', 'disturbed', '--force');
    expect(await read('disturbed/model.safetensors')).toEqual(expected);
  });
});

/** Events of a log, without their times. */
function events(log: Buffer): Record<string, unknown>[] {
  const lines = log.toString().trimEnd().split('\n');
  return lines.map((line) => {
    const { ms: _ms, ...event }: Record<string, unknown> = JSON.parse(line);
    return event;
  });
}

/** The process that a command trains in. */
function trainingOf(pid: number): number {
  return Number(execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' }).trim());
}

async function wrong(data: readonly object[], ...args: string[]): Promise<[unknown, string]> {
  await writeFile(join(folder, 'bad.jsonl'), jsonl(data));
  const { end, stderr } = await sluice(...learning, '--data', 'bad.jsonl', '--out', 'bad', ...args);
  return [end, stderr];
}

describe('bad data', () => {
  it.each([
    [
      'one label alone',
      [
        { text: 'a', label: 'x' },
        { text: 'b', label: 'x' },
      ],
      [],
      'all 2 rows have the label "x"',
    ],
    ['a row without a label', [{ text: 'a', label: 'x' }, { text: 'b' }], [], 'row 2 has no label'],
    [
      'a label that is not asked for',
      [
        { text: 'a', label: 'x' },
        { text: 'b', label: 'z' },
      ],
      ['--labels', 'x,y'],
      'row 2 has the label "z"',
    ],
    ['no row at all', [], [], 'bad.jsonl'],
    [
      'an empty label',
      [
        { text: 'a', label: 'x' },
        { text: 'b', label: '' },
      ],
      [],
      'row 2 has no label',
    ],
  ] as const)('%s', async (_, data, args, message) => {
    expect(await wrong(data, ...args)).toEqual([1, expect.stringContaining(message)]);
  });

  it.each([
    ['sentence', ({ text }: { text: string }) => ({ sentence: text })],
    ['text_a and text_b', ({ text }: { text: string }) => ({ text_a: text, text_b: text })],
  ])('but labels beside %s are found', async (_, fields) => {
    const data = letters.rows(40).map((each) => ({ ...fields(each), label: each.label }));
    expect(await wrong(data, '--epochs', '1')).toEqual([0, expect.stringContaining('40 rows')]);
    await rm(join(folder, 'bad'), { recursive: true });
  });

  it('patience without a dev corpus', async () => {
    expect(await wrong(letters.rows(4), '--patience', '2')).toEqual([2, expect.stringContaining('--dev')]);
  });

  it('a place that cannot be written to ends it before the corpus is read', async () => {
    const { end, stderr } = await sluice(...learning, '--data', 'none.jsonl', '--out', '/proc/sluice');
    expect([end, stderr]).toEqual([1, expect.stringMatching(/^sluice: ENOENT: .*\/proc\/sluice/m)]);
  });

  it('labels other than those of a model that has some', async () => {
    const args = ['train', '--base', 'trained', ...common, '--data', 'bad.jsonl', '--out', 'bad'];
    await writeFile(
      join(folder, 'bad.jsonl'),
      jsonl([
        { text: 'a', label: 'x' },
        { text: 'b', label: 'y' },
      ]),
    );
    const { end, stderr } = await sluice(...args);
    expect([end, stderr]).toEqual([1, expect.stringContaining('not among those to learn: early, late')]);
  });

  it('a head of another number of labels is not gone on with', async () => {
    const data = [
      { text: 'a', label: 'x' },
      { text: 'b', label: 'y' },
    ];
    await writeFile(join(folder, 'bad.jsonl'), jsonl(data));
    const args = [
      'train',
      '--base',
      base,
      '--task',
      'single',
      '--labels',
      'x,y',
      ...common,
      '--data',
      'bad.jsonl',
    ];
    const { end, stderr } = await sluice(...args, '--out', 'bad');
    expect([end, stderr]).toEqual([
      1,
      expect.stringContaining('begin with a new head (--new-head, or newHead of a step)'),
    ]);
  });

  it('a dev corpus with rows of the training, and texts without a word, are told of', async () => {
    const [end, stderr] = await wrong(
      [...letters.rows(40), { text: '', label: 'late' }],
      '--dev',
      'bad.jsonl',
      '--epochs',
      '1',
    );
    expect(end).toBe(0);
    expect(stderr).toContain('41 of 41 dev rows are among the training rows too');
    expect(stderr).toContain('1 without a word');
  });

  it('a loss that is no number ends it, and the last good checkpoint stays', async () => {
    const args = [
      ...trainArgs,
      '--rate',
      '1e30',
      '--warm-up',
      '0.9',
      '--checkpoint-steps',
      '1',
      '--out',
      'infinite',
    ];
    const { end, stderr } = await sluice(...args);
    expect([end, stderr]).toEqual([
      1,
      expect.stringMatching(/not finite at step \d+ \(epoch 1\), on the batch with rows \d+/),
    ]);
    // The second step's numbers are 1e28, by which the third had no loss.
    expect(await checkpointsOf('infinite')).toEqual(['step-000000001']);
    const again = await sluice(...args);
    expect([again.end, again.stderr]).toEqual([
      1,
      expect.stringContaining('Going on from the checkpoint of step 1.'),
    ]);
    expect(await checkpointsOf('infinite')).toEqual(['step-000000001']);
  });

  it('a model whose last step made it infinite is not written', async () => {
    const args = ['--epochs', '1', '--rate', '1e39', '--warm-up', '0', '--batch-tokens', '100000'];
    const { end, stderr } = await sluice(...trainArgs, ...args, '--out', 'overflown');
    expect([end, stderr]).toEqual([1, expect.stringContaining('Numbers of the model are not finite')]);
    expect(await readdir(folder)).not.toContain('overflown');
  });

  it('one step alone learns nothing, and says so', async () => {
    const args = ['--epochs', '1', '--batch-tokens', '100000', '--out', 'one'];
    const { end, stderr } = await sluice(...trainArgs, ...args);
    expect([end, stderr]).toEqual([0, expect.stringContaining('whose rate is 0: nothing was learned')]);
  });
});

async function checkpointsOf(out: string): Promise<string[]> {
  return (await readdir(join(folder, `${out}.training`))).filter((name) => name.startsWith('step-'));
}
