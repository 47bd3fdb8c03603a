/** Parquet into `sluice label` and out of it. */
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCorpus } from '#corpus/open-corpus.js';
import type { RunReport } from '#pipeline/report/run-report.js';
import { joined, readChunks } from './corpus-on-disk.js';
import { jsonLines, mailSample } from './mail-sample.js';
import type { CliEnd } from './run-cli.js';
import { runCli, spamBundle } from './run-cli.js';

const fixtures = join(import.meta.dirname, 'fixtures/parquet');
const options = ['--label-field', 'label', '--fields', 'number,text,label'];
const added = ['label', 'confidence', 'exit_layer', 'uncertainty'];
type Row = Readonly<Record<string, unknown>>;

let root: string;
/** mails.jsonl, its labelled rows, and the same as Parquet. */
let rows: Row[];
let parquet: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-cli-parquet-'));
  const mails = (await mailSample(60, 90)).map((mail, index) => ({ number: 2 ** 40 + index, ...mail }));
  await writeFile(join(root, 'mails.jsonl'), jsonLines(mails));
  await label(root, ['mails.jsonl', '--out', 'out.jsonl', ...options]);
  rows = linesOf(await readFile(join(root, 'out.jsonl'), 'utf8'));
  await label(root, ['mails.jsonl', '--out', 'out.parquet', ...options]);
  parquet = join(root, 'out.parquet');
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function label(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliEnd> {
  const all = ['label', ...args, '--model', spamBundle, '--speed', '0.03', '--chunk-rows', '8'];
  const result = await runCli(all, { cwd: folder, env });
  if (Object.keys(env).length === 0) expect(result.end, result.stderr).toBe(0);
  return result;
}

async function folderOf(name: string): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder);
  return folder;
}

function linesOf(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Row => JSON.parse(line));
}

async function parquetRows(path: string): Promise<Row[]> {
  const { records, rejects } = joined(await readChunks(openCorpus({ paths: [path], textField: 'label' })));
  expect(rejects).toEqual([]);
  return records.map((record): Row => JSON.parse(String(record)));
}

async function reportOf(folder: string, out: string): Promise<RunReport> {
  return JSON.parse(await readFile(join(folder, `${out}.run/report.json`), 'utf8'));
}

const named = (row: Row, names: readonly string[]): unknown[] => names.map((name) => row[name]);

describe('sluice label', () => {
  it('writes the rows of JSON lines as Parquet, the same and in order', async () => {
    expect(await parquetRows(parquet)).toEqual(rows);
    expect(rows).toHaveLength(60);
    expect(new Set(rows.map(({ exit_layer }) => exit_layer)).size).toBeGreaterThan(1);
  });

  it('reads Parquet, and writes Parquet beside it', async () => {
    const folder = await folderOf('beside');
    await copyFile(parquet, join(folder, 'in.parquet'));
    await label(folder, ['in.parquet', '--label-field', 'input_label']);
    const again = await parquetRows(join(folder, 'in.labelled.parquet'));
    expect(again.map((row) => named(row, added))).toEqual(rows.map((row) => named(row, added)));
    expect(again.map(({ number, text }) => [number, text])).toEqual(
      rows.map(({ number, text }) => [number, text]),
    );
    expect(Object.keys(again[0]!)).toContain('input_label');
    const report = await reportOf(folder, 'in.labelled.parquet');
    expect(report).toMatchObject({ rows: 60, accepted: 60, quality: { rows: 60 } });
  });

  it.each(['jsonl', 'csv'])('reads Parquet and writes %s', async (format) => {
    const folder = await folderOf(`to-${format}`);
    await label(folder, [parquet, '--fields', 'number', '--limit', '20', '--out', `out.${format}`]);
    const output = await readFile(join(folder, `out.${format}`), 'utf8');
    const expected = rows.slice(0, 20).map((row) => named(row, ['number', ...added]));
    const found =
      format === 'jsonl'
        ? linesOf(output).map((row) => named(row, ['number', ...added]))
        : output
            .trimEnd()
            .split('\n')
            .slice(1)
            .map((line) => line.split(','));
    expect(found.map(String)).toEqual(expected.map(String));
  });

  it('reads several Parquet files as one corpus', async () => {
    const folder = await folderOf('several');
    await copyFile(parquet, join(folder, 'a.parquet'));
    await copyFile(parquet, join(folder, 'b.parquet'));
    await label(folder, ['a.parquet', 'b.parquet', '--fields', 'number', '--out', 'out.parquet']);
    const both = await parquetRows(join(folder, 'out.parquet'));
    expect(both.map(({ number }) => number)).toEqual([...rows, ...rows].map(({ number }) => number));
  });

  it('rejects rows by number, and the counts agree', async () => {
    const folder = await folderOf('odd');
    await label(folder, [join(fixtures, 'odd.parquet'), '--out', 'out.parquet', '--max-row-bytes', '2000']);
    const rejects = linesOf(await readFile(join(folder, 'out.parquet.run/rejects.jsonl'), 'utf8'));
    expect(rejects.map(({ row, reason }) => [row, reason])).toEqual([
      [2, 'invalid-utf8'],
      [3, 'text-not-string'],
      [5, 'too-long'],
    ]);
    expect(await parquetRows(join(folder, 'out.parquet'))).toMatchObject([{ n: 1 }, { n: 4 }]);
    expect(await reportOf(folder, 'out.parquet')).toMatchObject({ rows: 5, accepted: 2, rejected: 3 });
  });

  it.each(['ok-renamed:4', 'plan-sealed', 'merge-written', 'output-renamed'])(
    'killed at %s resumes to the same bytes',
    async (step) => {
      const folder = await folderOf(`killed-${step}`);
      await copyFile(join(root, 'mails.jsonl'), join(folder, 'mails.jsonl'));
      const args = ['mails.jsonl', '--out', 'out.parquet', ...options];
      const killed = await label(folder, args, { SLUICE_CRASH_AT: step });
      expect(killed.end, killed.stderr).toBe('SIGKILL');
      await label(folder, args);
      const output = await readFile(join(folder, 'out.parquet'));
      expect(output.equals(await readFile(parquet))).toBe(true);
      expect((await readdir(join(folder, 'out.parquet.run'))).sort()).toEqual([
        '_SUCCESS',
        'plan.jsonl',
        'rejects.jsonl',
        'report.json',
        'run.json',
      ]);
    },
  );

  it('killed while it reads Parquet resumes in the middle of a row group', async () => {
    const folder = await folderOf('killed-reading');
    const args = [parquet, '--out', 'out.jsonl', '--fields', 'number'];
    const killed = await label(folder, args, { SLUICE_CRASH_AT: 'ok-renamed:4' });
    expect(killed.end, killed.stderr).toBe('SIGKILL');
    await label(folder, args);
    const found = linesOf(await readFile(join(folder, 'out.jsonl'), 'utf8'));
    const names = ['number', ...added];
    expect(found.map((row) => named(row, names))).toEqual(rows.map((row) => named(row, names)));
  });

  it('tells a finished run whose corpus was changed since', async () => {
    const folder = await folderOf('changed');
    const bytes = await readFile(parquet);
    await writeFile(join(folder, 'in.parquet'), bytes);
    await label(folder, ['in.parquet', '--out', 'out.parquet']);
    const again = await label(folder, ['in.parquet', '--out', 'out.parquet']);
    expect(again.stdout).toContain('This run was finished before; its output was verified.');
    bytes[100]! ^= 1;
    await writeFile(join(folder, 'in.parquet'), bytes);
    const args = ['label', 'in.parquet', '--out', 'out.parquet', '--model', spamBundle, '--speed', '0.03'];
    const { end, stderr } = await runCli(args, { cwd: folder });
    expect(end).toBe(1);
    expect(stderr).toMatch(/in\.parquet changed: bytes 0 to \d+ should be [0-9a-f]{64}, found/);
  });

  it.each<[string, string[], RegExp]>([
    [
      'standard input',
      ['-', '--format', 'parquet', '--out', 'out.jsonl'],
      /standard input cannot be Parquet, which is read from its end/,
    ],
    [
      'gzip around an output',
      ['in.jsonl', '--out', 'out.parquet.gz'],
      /Parquet is compressed inside: end the output out\.parquet\.gz in \.parquet, without \.gz\.\n$/,
    ],
  ])('refuses %s', async (_, args, message) => {
    const folder = await folderOf(`refused-${args[0]}`);
    const { end, stderr } = await runCli(['label', ...args, '--model', spamBundle], { cwd: folder });
    expect(end).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});

it('sluice evaluate takes Parquet', async () => {
  const args = ['evaluate', parquet, '--model', spamBundle, '--label-field', 'input_label', '--json'];
  const { end, stdout, stderr } = await runCli(args, { cwd: root });
  expect(end, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ rows: 60 });
});
