/** The other commands, and how each shows its result: for people, for programs, not at all. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '#model/bundle/manifest.js';
import { jsonLines, mailSample } from './mail-sample.js';
import { checkpointShape, randomNumbers, randomText, writeRandomCheckpoint } from './random-checkpoint.js';
import { cli, runCli, spamBundle } from './run-cli.js';

const run = promisify(execFile);

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const clearBelow = '\u001b[J';

/** util-linux's `script` runs a command on a terminal; others of this name take other options. */
const hasScript = String(spawnSync('script', ['--version']).stdout).includes('util-linux');
if (!hasScript && process.env['CI'] === 'true') {
  throw new Error("Expected util-linux's `script` to test on a terminal. Install Debian's package bsdutils.");
}

let folder: string;
let mails: Awaited<ReturnType<typeof mailSample>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-commands-'));
  mails = await mailSample(60, 120);
  await writeFile(join(folder, 'mails.jsonl'), jsonLines(mails));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a command that must succeed. @returns what it printed */
async function sluice(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { end, stdout, stderr } = await runCli(args, { cwd: folder });
  expect(end, stderr).toBe(0);
  return { stdout, stderr };
}

/** The result of a command as JSON, which is all that it prints. */
async function json<T>(...args: string[]): Promise<T> {
  const { stdout, stderr } = await sluice(...args, '--json');
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const label = (out: string, ...options: string[]): string[] => [
  ...`label mails.jsonl --speed 0.03 --out ${out} --model`.split(' '),
  spamBundle,
  ...options,
];

describe('what sluice label shows', () => {
  it('is one JSON document with --json, the same as report.json', async () => {
    const report = await json<object>(...label('json.jsonl'));
    expect(report).toEqual(JSON.parse(await readFile(join(folder, 'json.jsonl.run/report.json'), 'utf8')));
    expect(report).toMatchObject({ rows: 60, accepted: 60 });
  });

  it('is nothing with --quiet', async () => {
    expect(await sluice(...label('quiet.jsonl', '--quiet'))).toEqual({ stdout: '', stderr: '' });
  });

  it('is plain text without a terminal', async () => {
    const { stdout, stderr } = await sluice(...label('plain.jsonl'));
    expect(stdout).toMatch(/^Labelled 60 rows in /);
    expect(stdout).toMatch(/\nplain\.jsonl\n$/);
    expect(stripVTControlCharacters(stdout + stderr)).toBe(stdout + stderr);
    expect(stdout + stderr).not.toContain('\r');
    const phases = stderr
      .trimEnd()
      .split('\n')
      .map((line) => line.split(':')[0]);
    expect(phases.filter((phase) => phase !== 'labelling')).toEqual(['verifying', 'merging', 'finished']);
  });

  it.skipIf(!hasScript)('is a live picture on a terminal, gone at the end', async () => {
    // At full depth, so that there is time to see it.
    const args = label('live.jsonl', '--speed', '0');
    const command = [process.execPath, cli, ...args].map((word) => `'${word}'`).join(' ');
    const options = { cwd: folder, env: { PATH: process.env['PATH'], TERM: 'xterm-256color' } };
    const { stdout } = await run(
      'script',
      ['--quiet', '--return', '--command', command, '/dev/null'],
      options,
    );
    expect(stdout.split(hideCursor)).toHaveLength(2);
    expect(stdout).toMatch(/labelling/);
    const [end, after] = stdout.slice(stdout.lastIndexOf(clearBelow)).split(showCursor);
    expect(end).toBe(clearBelow);
    expect(stripVTControlCharacters(after ?? '')).toMatch(/^Labelled 60 rows in /);
  });

  it('may go to a reader that does not read it', async () => {
    const script = '"$@" | true; "$@" 2>&1 | true; "$@"';
    const args = ['-c', script, 'sh', process.execPath, cli, ...label('unread.jsonl')];
    const { stdout, stderr } = await run('sh', args, { cwd: folder });
    expect(stdout).toMatch(/^This run was finished before; its output was verified\./);
    expect(stderr).not.toMatch(/Error|EPIPE/);
  });
});

describe('sluice predict', () => {
  it('says of a text what sluice label says, to the last bit', async () => {
    await sluice(...label('labels.jsonl', '--probabilities'));
    interface Row {
      readonly id: string;
      readonly label: string;
      readonly exit_layer: number;
      readonly confidence: number;
      readonly uncertainty: number;
      readonly probability_spam: number;
    }
    const rows = (await readFile(join(folder, 'labels.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line): Row => JSON.parse(line));
    // One row of each exit that there is.
    const layers = [...new Set(rows.map((row) => row.exit_layer))];
    expect(layers.length).toBeGreaterThan(2);
    for (const layer of layers) {
      const index = rows.findIndex((row) => row.exit_layer === layer);
      const row = rows[index]!;
      const text = mails[index]!.text;
      const said = await json<
        Omit<Row, 'id'> & { exits: { probabilities: Record<string, number>; layer: number }[] }
      >('predict', text, '--model', spamBundle, '--speed', '0.03');
      expect(said).toMatchObject({
        label: row.label,
        exit_layer: layer,
        confidence: Math.fround(row.confidence),
        uncertainty: Math.fround(row.uncertainty),
      });
      expect(said.exits.map((exit) => exit.layer)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(said.exits[layer]!.probabilities['spam']).toBe(Math.fround(row.probability_spam));
    }
  });

  it('shows people where a text leaves', async () => {
    const { stdout } = await sluice(
      'predict',
      'You have won a prize, click here',
      '--model',
      spamBundle,
      '--policy',
      'fast',
    );
    expect(stdout.match(/ ← leaves here$/gm)).toHaveLength(1);
    expect(stdout).toMatch(/^(ham|spam) with \d+\.\d %, leaves at exit \d of 6$/m);
  });
});

const compile = (...options: string[]): string[] => ['compile', 'checkpoint', ...options];

describe('sluice compile', () => {
  beforeAll(async () => {
    await writeRandomCheckpoint(join(folder, 'checkpoint'), checkpointShape());
    const random = randomNumbers(3);
    const texts = Array.from({ length: 60 }, (_, row) => ({
      id: row,
      text: randomText(random, 4 + (row % 20)),
    }));
    await writeFile(join(folder, 'texts.jsonl'), jsonLines(texts));
    await writeFile(join(folder, 'quotes.tsv'), `text\n${'"a b\n'.repeat(20)}`);
  });

  it.each([
    ['fp32', []],
    ['int8', ['--calibrate', 'texts.jsonl', '--min-agreement', '0']],
  ])('makes a bundle of %s that labels, the same bytes each time', async (precision, options) => {
    const manifests = [];
    for (const time of ['first', 'second']) {
      manifests.push(await json<Manifest>(...compile('--out', `${time}/${precision}`, ...options)));
    }
    const [first, second] = ['first', 'second'].map((time) => join(folder, time, precision));
    const names = await readdir(first!);
    expect(names.toSorted()).toEqual([
      'bundle.json',
      'golden.json',
      'stage-1.onnx',
      'stage-2.onnx',
      'stage-3.onnx',
      'tokenizer.json',
    ]);
    for (const name of names) {
      expect((await readFile(join(second!, name))).equals(await readFile(join(first!, name))), name).toBe(
        true,
      );
    }
    expect(manifests[0]).toMatchObject({
      precision,
      stages: [{ exits: [0] }, { exits: [1, 2] }, { exits: [3] }],
    });
    const out = `${precision}.jsonl`;
    const report = await json(
      'label',
      'texts.jsonl',
      '--model',
      `first/${precision}`,
      '--speed',
      '0.5',
      '--out',
      out,
    );
    expect(report).toMatchObject({ rows: 60, accepted: 60 });
  });

  it('keeps the exits and cuts the stages that it is told', async () => {
    await sluice(...compile('--out', 'cut', '--stages', '1', '--exits', '1,3'));
    expect(await json('inspect', 'cut')).toMatchObject({
      kind: 'bundle',
      exits: [{ layer: 1 }, { layer: 3 }],
      stages: [
        { layers: [1, 1], exits: [1] },
        { layers: [2, 3], exits: [3] },
      ],
    });
  });

  it('replaces a bundle only with --force', async () => {
    await sluice(...compile('--out', 'bundle'));
    const refused = await runCli(compile('--out', 'bundle', '--max-length', '16'), { cwd: folder });
    expect(refused).toEqual({
      end: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^sluice: .*bundle is already there\. Choose another --out, or replace it with --force\.\n$/,
      ),
    });
    expect(await json('inspect', 'bundle')).toMatchObject({ maxLength: 130 });
    await sluice(...compile('--out', 'bundle', '--max-length', '16', '--force'));
    expect(await json('inspect', 'bundle')).toMatchObject({ maxLength: 16 });
  });

  it('reads calibration tables whose quotes are characters', async () => {
    const options = ['--calibrate', 'quotes.tsv', '--no-quotes', '--min-agreement', '0', '--out', 'from-tsv'];
    expect(await json<Manifest>(...compile(...options))).toMatchObject({ quality: { texts: 20 } });
  });

  it('refuses a stage that the model does not have', async () => {
    const { end, stderr } = await runCli(compile('--out', 'never', '--stages', '7'), { cwd: folder });
    expect(end).toBe(2);
    expect(stderr).toMatch(
      /^sluice: Stages must end at ascending layers from 0 to 2, such as 2,4; got 7\.\n$/,
    );
    expect(await readdir(folder)).not.toContain('never');
  });

  it('says nothing with --quiet', async () => {
    expect(await sluice(...compile('--out', 'quiet', '--quiet'))).toEqual({ stdout: '', stderr: '' });
  });
});

describe('sluice inspect', () => {
  it('shows a bundle', async () => {
    const manifest: Manifest = JSON.parse(await readFile(join(spamBundle, 'bundle.json'), 'utf8'));
    expect(await json('inspect', spamBundle)).toMatchObject({ kind: 'bundle', ...manifest });
    const { stdout } = await sluice('inspect', spamBundle);
    expect(stdout).toMatch(
      /^spam {2}int8, 6 layers × 384, 2 classes, single texts of at most 128 tokens\nlabels: ham, spam\n/,
    );
    expect(stdout).toMatch(/\nhash {8}[0-9a-f]{64}\n/);
  });

  it('shows a checkpoint', async () => {
    await writeRandomCheckpoint(join(folder, 'inspected'), checkpointShape({ classes: 4 }));
    expect(await json('inspect', 'inspected')).toMatchObject({
      kind: 'checkpoint',
      labels: ['class-0', 'class-1', 'class-2', 'class-3'],
      exits: [{ layer: 0 }, { layer: 1 }, { layer: 2 }, { layer: 3 }],
    });
    expect((await sluice('inspect', 'inspected')).stdout).toMatch(/^Sluice {2}3 layers × 32, 4 heads, /);
  });
});

describe('the program', () => {
  it.each(['label', 'pull', 'import', 'compile', 'inspect', 'predict', 'demo'])(
    'sluice %s --help shows examples',
    async (command) => {
      const { stdout, stderr } = await sluice(command, '--help');
      expect(stderr).toBe('');
      expect(stdout).toMatch(new RegExp(`\\nExamples:\\n  \\$ .*sluice ${command}`));
    },
  );

  it('says in its help what the exit codes mean', async () => {
    const { stdout } = await sluice('--help');
    const codes = stdout.match(/^ {2}\d+ +\S.*$/gm)?.map((line) => line.trim().split(/ {2,}/));
    expect(codes).toEqual([
      ['0', expect.stringMatching(/^done/)],
      ['1', expect.stringMatching(/^failed or stopped/)],
      ['2', expect.stringMatching(/^used wrongly/)],
      ['130', expect.stringMatching(/^Ctrl-C ended the watching/)],
    ]);
  });

  it('starts with npx from a checkout', async () => {
    const { stdout } = await run('npx', ['--no-install', 'sluice', '--version'], {
      cwd: join(import.meta.dirname, '..'),
    });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

it('sluice demo labels the mails, is right, and is faster than running every layer', async () => {
  interface Demo {
    readonly report: { readonly rows: number; readonly accepted: number };
    readonly test: { readonly rows: number; readonly accuracy: number };
    readonly speedUp: { readonly ratio: number };
  }
  const { report, test, speedUp } = await json<Demo>('demo', '--out', 'demo');
  expect(report).toMatchObject({ rows: 5909, accepted: 5909 });
  expect(test.rows).toBe(1185);
  expect(test.accuracy).toBeGreaterThan(0.97);
  expect(speedUp.ratio).toBeGreaterThan(1);
  expect((await readdir(join(folder, 'demo'))).sort()).toEqual([
    'mail.jsonl',
    'mail.labelled.jsonl',
    'mail.labelled.jsonl.run',
  ]);
});
