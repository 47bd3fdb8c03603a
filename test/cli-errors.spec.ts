/** Wrong commands: exit code, one plain message, and nothing left behind. */
import { execFile } from 'node:child_process';
import { cp, link, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, runCli, spamBundle } from './run-cli.js';

const rows = '{"id": 1, "text": "hello"}\n{"id": 2, "text": "hello again"}\n';
let folder: string;
let before: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-errors-'));
  await writeFile(join(folder, 'rows.jsonl'), rows);
  await cp(spamBundle, join(folder, 'damaged'), { recursive: true });
  const stage = join(folder, 'damaged/stage-2.onnx');
  const bytes = await readFile(stage);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(stage, bytes);
  await writeFile(join(folder, 'policy.json'), '{"0": 0.1, "9": 0.1}');
  before = await readdir(folder, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const label = (...options: string[]): string[] => ['label', 'rows.jsonl', '--model', spamBundle, ...options];

describe('sluice refuses', () => {
  it.each<[string, string[], number, RegExp]>([
    [
      'a bundle that is not there',
      ['label', 'rows.jsonl', '--model', 'no'],
      1,
      /^sluice: no: not a bundle: bundle\.json cannot be read \(.*\)\. Make one with: sluice compile$/,
    ],
    [
      'a bundle with a damaged file',
      ['label', 'rows.jsonl', '--model', 'damaged'],
      1,
      /^sluice: damaged\/stage-2\.onnx: its sha256 is [0-9a-f]{64}, bundle\.json says [0-9a-f]{64}: the bundle is damaged\. Compile or copy it again\.$/,
    ],
    [
      'a corpus that is not there',
      ['label', 'no.jsonl', '--model', spamBundle],
      1,
      /^sluice: Cannot read no\.jsonl: ENOENT: no such file or directory/,
    ],
    [
      'a corpus that is a folder',
      ['label', 'damaged', '--model', spamBundle, '--format', 'jsonl'],
      1,
      /^sluice: Cannot read damaged: it is a folder\. Name its files, such as 'damaged\/\*\.jsonl'\.$/,
    ],
    [
      'a corpus of unknown format',
      ['label', 'damaged/stage-1.onnx', '--model', spamBundle],
      1,
      /^sluice: Cannot read damaged\/stage-1\.onnx: its format is unknown\. Say which it is: jsonl, csv, tsv, txt or parquet\.$/,
    ],
    [
      'a text field that is not there',
      label('--text-field', 'body'),
      1,
      /^sluice: Cannot read rows\.jsonl: there is no "body" in the first rows, which are: id, text\. Say which is the text field\.$/,
    ],
    [
      'a label field that is not there',
      label('--label-field', 'gold'),
      1,
      /no "gold" in the first rows, which are: id, text\. Say which is the label field\.$/,
    ],
    [
      'a field to carry that is not there',
      label('--fields', 'id,body'),
      1,
      /no "body" in the first rows, which are: id, text\. Say which is the field to keep\.$/,
    ],
    [
      '--no-quotes for jsonl',
      label('--no-quotes'),
      1,
      /^sluice: Cannot read rows\.jsonl: quotes is an option of csv and tsv; the format is jsonl\.$/,
    ],
    [
      'a second text for a model of single ones',
      label('--pair-field', 'id'),
      2,
      /^sluice: The model labels single texts, so a pair field has no use\.$/,
    ],
    [
      'a speed above 1',
      label('--speed', '1.5'),
      2,
      /^error: option '--speed <number>' argument '1\.5' is invalid\. Expected a number from 0 to 1\.\n\(--help shows the options and examples\)$/,
    ],
    [
      'a speed that is no number',
      label('--speed', 'fast'),
      2,
      /^error: option '--speed <number>' argument 'fast' is invalid\./,
    ],
    [
      'both a speed and a policy',
      label('--speed', '0.1', '--policy', 'fast'),
      2,
      /^error: option '--speed <number>' cannot be used with option '--policy <name>'/,
    ],
    [
      'a preset that is not there',
      label('--policy', 'daring'),
      2,
      /^sluice: There is no preset and no file 'daring'\. The bundle's presets: full, accurate, balanced, fast\.$/,
    ],
    [
      'a policy for an exit that is not there',
      label('--policy', 'policy.json'),
      2,
      /^sluice: policy\.json has a threshold for exit 9; the bundle's exits are 0, 1, 2, 3, 4, 5, 6\.$/,
    ],
    ['no model', ['label', 'rows.jsonl'], 2, /^error: required option '-m, --model <model>' not specified\n/],
    ['no corpus', ['label', '--model', spamBundle], 2, /^error: missing required argument 'corpus'\n/],
    [
      'an option that is not there',
      label('--sped', '0.1'),
      2,
      /^error: unknown option '--sped'\n\(Did you mean --speed\?\)\n/,
    ],
    [
      'a command that is not there',
      ['lable'],
      2,
      /^error: unknown command 'lable'\n\(Did you mean label\?\)\n/,
    ],
    [
      'no rows at a time',
      label('--chunk-rows', '0'),
      2,
      /^error: option '--chunk-rows <n>' argument '0' is invalid\. Expected a whole number from 1\.\n/,
    ],
    [
      'more memory than an array can have',
      label('--dedupe-memory', '1000000'),
      2,
      /^error: option '--dedupe-memory <MiB>' argument '1000000' is invalid\. Expected a whole number from 1 to 4096\.\n/,
    ],
    [
      'an output of unknown format',
      label('--out', 'out.xml'),
      2,
      /^sluice: The format of out\.xml is unknown: end it in \.jsonl, \.csv or \.parquet, or give --out-format\.$/,
    ],
    [
      'standard input without an output',
      ['label', '-', '--format', 'jsonl', '--model', spamBundle],
      2,
      /^sluice: Rows from standard input need a place to go: give --out FILE\.$/,
    ],
    [
      'an output in place of the corpus',
      label('--out', 'rows.jsonl'),
      2,
      /^sluice: The output rows\.jsonl is the corpus itself and would replace it: name another --out\.$/,
    ],
    [
      'an output in place of the corpus by another path',
      label('--out', `./damaged/../rows.jsonl`),
      2,
      /would replace it/,
    ],
    [
      'an output in the run directory',
      label('--out', 'run/out.jsonl', '--run-dir', './run'),
      2,
      /^sluice: The output run\/out\.jsonl would lie in the run directory run: name another --out or --run-dir\.$/,
    ],
    [
      'an output that is a folder',
      label('--out', 'damaged', '--out-format', 'jsonl', '--run-dir', 'run'),
      1,
      /^sluice: The output cannot be written to damaged: it is a folder\. Name a file in a folder that may be written to\.$/,
    ],
    [
      'an output below a file',
      label('--out', 'rows.jsonl/out.jsonl', '--run-dir', 'run'),
      1,
      /^sluice: The output cannot be written to rows\.jsonl\/out\.jsonl: E[A-Z]+: /,
    ],
    [
      'a run directory that is a file',
      label('--out', 'out.jsonl', '--run-dir', 'rows.jsonl'),
      1,
      /^sluice: rows\.jsonl cannot be the run directory: ENOTDIR: .*\. Name another folder\.$/,
    ],
    [
      'a run directory with other things in it',
      label('--out', 'out.jsonl', '--run-dir', 'damaged'),
      1,
      /^sluice: damaged is not a run directory: it has no run\.json but holds .*\. Name a folder that is empty or not there\.$/,
    ],
    ['to inspect what is neither bundle nor checkpoint', ['inspect', '.'], 1, /^sluice: .*config\.json/],
    ['to compile what is no checkpoint', ['compile', '.', '--out', 'new'], 1, /^sluice: .*config\.json/],
    [
      'to predict with a pair for a model of single texts',
      ['predict', 'a', '--pair', 'b', '--model', spamBundle],
      2,
      /^sluice: The model labels single texts: leave out --pair\.$/,
    ],
  ])('%s', async (_, args, code, message) => {
    const { end, stdout, stderr } = await runCli(args, { cwd: folder });
    expect({ end, stdout }).toEqual({ end: code, stdout: '' });
    expect(stderr.trimEnd()).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(await readFile(join(folder, 'rows.jsonl'), 'utf8')).toBe(rows);
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });

  it('the corpus as its output, also where it comes in by standard input or a link', async () => {
    const script = '"$0" "$1" label - --format jsonl --model "$2" --out rows.jsonl < rows.jsonl';
    const shell = promisify(execFile)('sh', ['-c', script, process.execPath, cli, spamBundle], {
      cwd: folder,
    });
    await expect(shell).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('would replace it'),
    });
    await link(join(folder, 'rows.jsonl'), join(folder, 'again.jsonl'));
    const { end } = await runCli(label('--out', 'again.jsonl'), { cwd: folder });
    await rm(join(folder, 'again.jsonl'));
    expect(end).toBe(2);
    expect(await readFile(join(folder, 'rows.jsonl'), 'utf8')).toBe(rows);
  });
});

it('sluice label takes a corrected command after a wrong one, and makes the folder of the output', async () => {
  const out = ['--out', 'new/deep/out.jsonl'];
  expect((await runCli(label(...out, '--text-field', 'body'), { cwd: folder })).end).toBe(1);
  const { end, stderr } = await runCli(label(...out), { cwd: folder });
  expect(end, stderr).toBe(0);
  expect((await readFile(join(folder, 'new/deep/out.jsonl'), 'utf8')).split('\n')).toHaveLength(3);
});
