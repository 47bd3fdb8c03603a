/** What goes into `sluice label` and what comes out, by format and option. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DemoRow } from '../apps/cli/src/demo/demo-corpus.js';
import type { RunReport } from '#pipeline/report/run-report.js';
import { jsonLines, mailSample } from './mail-sample.js';
import type { CliOptions } from './run-cli.js';
import { runCli, spamBundle } from './run-cli.js';

let root: string;
let mails: DemoRow[];
/** label, confidence, exit_layer and uncertainty of each mail, as text. */
let expected: string[][];
let folders = 0;

const added = ['label', 'confidence', 'exit_layer', 'uncertainty'];
type Row = Readonly<Record<string, string>>;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-formats-'));
  // Their white space is single blanks; a line break says the same to the model and is harder on the readers.
  mails = (await mailSample(40, 90)).map((mail) => ({ ...mail, text: mail.text.replace(' ', '\n') }));
  // Otherwise the tests of quoting below would not test much.
  expect(mails.some(({ text }) => text.includes('"') && text.includes(','))).toBe(true);
  expected = resultsOf((await label('mails.jsonl', jsonLines(mails))).rows);
  expect(new Set(expected.map(([, , layer]) => layer)).size).toBeGreaterThan(2);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const resultsOf = (rows: readonly Row[]): string[][] =>
  rows.map((row) => added.map((name) => String(row[name])));

/** Labels a corpus of this name in a folder of its own; `-.x` goes to standard input. */
async function label(
  name: string,
  content: string,
  options: readonly string[] = [],
  out = 'out.jsonl',
): Promise<{ rows: Row[]; output: string; rejects: unknown[]; report: RunReport; folder: string }> {
  const folder = join(root, String((folders += 1)));
  await mkdir(folder);
  const piped = name.startsWith('-');
  if (!piped) await writeFile(join(folder, name), content);
  const input: CliOptions = piped ? { input: content } : {};
  const args = [
    'label',
    piped ? '-' : name,
    '--model',
    spamBundle,
    '--speed',
    '0.03',
    '--out',
    out,
    ...options,
  ];
  const { end, stderr } = await runCli(args, { cwd: folder, ...input });
  expect(end, stderr).toBe(0);
  const read = (path: string): Promise<string> => readFile(join(folder, path), 'utf8');
  const output = await read(out);
  return {
    rows: out.endsWith('.csv') ? parse(output, { columns: true }) : linesOf<Row>(output),
    output,
    rejects: linesOf(await read(`${out}.run/rejects.jsonl`)),
    report: JSON.parse(await read(`${out}.run/report.json`)),
    folder,
  };
}

const linesOf = <T>(text: string): T[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line): T => JSON.parse(line));

const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
const table = (delimiter: string, rows: readonly DemoRow[], cell: (text: string) => string): string =>
  rows.map(({ id, text }) => `${[id, text].map(cell).join(delimiter)}\n`).join('');
/** Each row starts as a quoted cell would. */
const unquoted = (rows: readonly DemoRow[]): string =>
  rows.map(({ id, text }) => `"${id}\t${oneLine(text)}\n`).join('');
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('sluice label gives the labels of the same texts in', () => {
  it.each<[string, string, () => string, string[], string[]]>([
    ['csv', 'in.csv', () => `id,text\n${table(',', mails, quoted)}`, [], ['id', 'text']],
    [
      'csv without header',
      'in.csv',
      () => table(',', mails, quoted),
      ['--no-header', '--text-field', '2'],
      ['1', '2'],
    ],
    ['tsv', 'in.tsv', () => `id\ttext\n${table('\t', mails, quoted)}`, [], ['id', 'text']],
    ['tsv without quotes', 'in.tsv', () => `id\ttext\n${unquoted(mails)}`, ['--no-quotes'], ['id', 'text']],
    ['txt', 'in.txt', () => mails.map(({ text }) => `${oneLine(text)}\n`).join(''), [], ['text']],
    [
      'jsonl from standard input',
      '-',
      () => jsonLines(mails),
      ['--format', 'jsonl'],
      ['id', 'text', 'input_label', 'split'],
    ],
    [
      'csv from standard input',
      '-',
      () => `id,text\n${table(',', mails, quoted)}`,
      ['--format', 'csv'],
      ['id', 'text'],
    ],
    [
      'an unknown extension',
      'in.data',
      () => jsonLines(mails),
      ['--format', 'jsonl'],
      ['id', 'text', 'input_label', 'split'],
    ],
  ])('%s', async (_, name, content, options, names) => {
    const { rows, report } = await label(name, content(), options);
    expect(resultsOf(rows)).toEqual(expected);
    expect(Object.keys(rows[0]!)).toEqual([...names, ...added]);
    expect(report).toMatchObject({ rows: mails.length, accepted: mails.length, rejected: 0 });
  });

  it('jsonl, written as csv', async () => {
    const { rows, output } = await label('mails.jsonl', jsonLines(mails), [], 'out.csv');
    expect(resultsOf(rows)).toEqual(expected);
    expect(output.split('\n')[0]).toBe('id,text,input_label,split,label,confidence,exit_layer,uncertainty');
    expect(rows.map(({ text }) => text)).toEqual(mails.map(({ text }) => text));
  });

  it('csv, written as csv beside it', async () => {
    const folder = join(root, 'beside');
    await mkdir(folder);
    await writeFile(join(folder, 'in.csv'), `id,text\n${table(',', mails, quoted)}`);
    const { end } = await runCli(['label', 'in.csv', '--model', spamBundle, '--speed', '0.03'], {
      cwd: folder,
    });
    expect(end).toBe(0);
    const rows: Row[] = parse(await readFile(join(folder, 'in.labelled.csv')), { columns: true });
    expect(resultsOf(rows)).toEqual(expected);
    expect(rows.map(({ id, text }) => [id, text])).toEqual(mails.map(({ id, text }) => [id, text]));
  });
});

describe('sluice label', () => {
  it('carries only the fields that are named, and only so many rows', async () => {
    const { rows, report } = await label('mails.jsonl', jsonLines(mails), ['--fields', 'id', '--limit', '7']);
    expect(resultsOf(rows)).toEqual(expected.slice(0, 7));
    expect(rows.map(({ id }) => id)).toEqual(mails.slice(0, 7).map(({ id }) => id));
    for (const row of rows) expect(Object.keys(row)).toEqual(['id', ...added]);
    expect(report.rows).toBe(7);
  });

  it('measures accuracy where the corpus gives labels', async () => {
    const { rows, report } = await label('mails.jsonl', jsonLines(mails), ['--label-field', 'label']);
    const right = rows.filter((row, index) => row.label === mails[index]!.label).length;
    expect(right).toBeGreaterThan(mails.length / 2);
    expect(report.quality).toMatchObject({ rows: mails.length, accuracy: right / mails.length });
  });

  it('rejects rows by number with a reason, and labels the rest', async () => {
    const lines = jsonLines(mails).trimEnd().split('\n');
    lines.splice(30, 0, '{"id": 31}', `{"text": "${'x'.repeat(2000)}"}`);
    lines.splice(3, 0, '{"text": "no end', '{"text": 5}', '["text"]');
    const { rows, rejects, report } = await label('bad.jsonl', `${lines.join('\n')}\n`, [
      '--max-row-bytes',
      '1500',
      '--chunk-rows',
      '10',
    ]);
    expect(resultsOf(rows)).toEqual(expected);
    expect(rejects).toEqual([
      { row: 4, reason: 'unparseable', message: expect.any(String) },
      { row: 5, reason: 'text-not-string', message: expect.any(String) },
      { row: 6, reason: 'not-an-object', message: expect.any(String) },
      { row: 34, reason: 'no-text-field', message: expect.any(String) },
      { row: 35, reason: 'too-long', message: expect.any(String) },
    ]);
    expect(report).toMatchObject({ rows: 45, accepted: 40, rejected: 5 });
    expect(report.rows).toBe(rows.length + rejects.length);
  });

  it('says what a csv output left out, because the first rows do not have it', async () => {
    const early = '{"text": "hello"}\n'.repeat(1000);
    const content = `${early}{"text": "a", "late": 1, "later": 2}\n{"text": "b", "late": 3}\n`;
    const folder = join(root, 'late');
    await mkdir(folder);
    await writeFile(join(folder, 'in.jsonl'), content);
    const args = ['label', 'in.jsonl', '--model', spamBundle, '--policy', 'fast', '--out'];
    const told = await runCli([...args, 'told.csv'], { cwd: folder });
    expect(told.stdout).toMatch(
      /\nLeft out, because the first rows do not have them: late \(2 rows\), later \(1 row\)\. A jsonl output carries every field\.\n$/,
    );
    const json = await runCli([...args, 'json.csv', '--json'], { cwd: folder });
    expect(JSON.parse(json.stdout)).toMatchObject({ rows: 1002, fieldsLeftOut: { late: 2, later: 1 } });
    const whole = await runCli([...args, 'whole.jsonl'], { cwd: folder });
    expect(whole.stdout).not.toContain('Left out');
    expect(await readFile(join(folder, 'whole.jsonl'), 'utf8')).toContain('"late": 3');
  });

  it('killed while a pipe is still open takes the same pipe again, and what comes after', async () => {
    // More than the thousand rows that are looked at before the first is labelled.
    const rows = Array.from({ length: 1100 }, (_, id) => ({
      id,
      text: mails[id % mails.length]!.text.slice(0, 20),
    }));
    await writeFile(join(root, 'all.jsonl'), jsonLines(rows));
    const options = ['--format', 'jsonl', '--policy', 'fast', '--chunk-rows', '32', '--model', spamBundle];
    const whole = await runCli(['label', 'all.jsonl', ...options, '--out', 'all.out.jsonl'], { cwd: root });
    expect(whole.end, whole.stderr).toBe(0);
    const args = ['label', '-', ...options, '--out', 'piped.out.jsonl'];
    const killed = await runCli(args, {
      cwd: root,
      input: jsonLines(rows.slice(0, 1050)),
      inputStaysOpen: true,
      env: { SLUICE_CRASH_AT: 'ok-renamed:3' },
    });
    expect(killed.end, killed.stderr).toBe('SIGKILL');
    const { end, stderr } = await runCli(args, { cwd: root, input: jsonLines(rows) });
    expect(end, stderr).toBe(0);
    expect(await readFile(join(root, 'piped.out.jsonl'), 'utf8')).toBe(
      await readFile(join(root, 'all.out.jsonl'), 'utf8'),
    );
  });

  it.each(['ok-renamed:2', 'merge-written'])('killed at %s takes the same pipe again', async (step) => {
    const folder = join(root, step);
    await mkdir(folder);
    const options = ['--format', 'jsonl', '--speed', '0.03', '--chunk-rows', '8', '--out', 'out.jsonl'];
    const args = ['label', '-', '--model', spamBundle, ...options];
    const pipe = { cwd: folder, input: jsonLines(mails) };
    expect((await runCli(args, { ...pipe, env: { SLUICE_CRASH_AT: step } })).end).toBe('SIGKILL');
    const { end, stderr } = await runCli(args, pipe);
    expect(end, stderr).toBe(0);
    expect(resultsOf(linesOf(await readFile(join(folder, 'out.jsonl'), 'utf8')))).toEqual(expected);
    expect((await readdir(join(folder, 'out.jsonl.run'))).sort()).toEqual([
      '_SUCCESS',
      'input.sealed',
      'plan.jsonl',
      'rejects.jsonl',
      'report.json',
      'run.json',
    ]);
  });
});
