/** `sluice label` and `sluice evaluate` with compressed files, several files and patterns. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labelledRun } from './labelled-run.js';
import { jsonLines, mailSample } from './mail-sample.js';
import type { CliEnd, CliOptions } from './run-cli.js';
import { runCli, spamBundle } from './run-cli.js';
import { writeZeros } from './written-corpus.js';

let folder: string;
/** JSON lines of the mails, a row that is none among them. */
let lines: string[];
/** What the lines give in one file. */
let expected: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-corpora-'));
  lines = jsonLines(await mailSample(60, 90))
    .trimEnd()
    .split('\n');
  lines.splice(45, 0, '{"text": 7}');
  await mkdir(join(folder, 'part'));
  await write('all.jsonl', text(0, 61));
  await write('part/1.jsonl', text(0, 20));
  await write('part/2.jsonl.gz', gzipSync(text(20, 40)));
  await write('part/10.jsonl', text(40, 61));
  await write('all.jsonl.gz', Buffer.concat([gzipSync(text(0, 33)), gzipSync(text(33, 61))]));
  expect((await label(['all.jsonl'], 'all.out.jsonl')).end).toBe(0);
  expected = await read('all.out.jsonl');
  expect(expected.trimEnd().split('\n')).toHaveLength(60);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const write = (name: string, content: string | Uint8Array): Promise<void> =>
  writeFile(join(folder, name), content);
const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
const unpacked = async (name: string): Promise<string> =>
  gunzipSync(await readFile(join(folder, name))).toString();
const text = (from: number, to: number): string => `${lines.slice(from, to).join('\n')}\n`;
const inOrder = ['part/1.jsonl', 'part/2.jsonl.gz', 'part/10.jsonl'];

function label(
  corpus: readonly string[],
  out: string,
  options: readonly string[] = [],
  more: CliOptions = {},
): Promise<CliEnd> {
  const chosen = ['--model', spamBundle, '--speed', '0.03', '--chunk-rows', '8', '--out', out];
  return runCli(['label', ...corpus, ...chosen, ...options], { cwd: folder, ...more });
}

describe('sluice label gives the rows of one plain file', () => {
  it.each<[string, string[], string[], CliOptions['input'] | (() => CliOptions['input'])]>([
    ['from gzip members', ['all.jsonl.gz'], [], undefined],
    ['from several files', inOrder, [], undefined],
    ['from compressed standard input', ['-'], ['--format', 'jsonl'], () => gzipSync(text(0, 61))],
  ])('%s', async (name, corpus, options, input) => {
    const out = `${name.replaceAll(' ', '-')}.jsonl`;
    const given = typeof input === 'function' ? input() : input;
    const more = given === undefined ? {} : { input: given };
    for (const said of [
      /^Labelled 60 of 61 rows/,
      /^This run was finished before; its output was verified\./,
    ]) {
      const { end, stdout, stderr } = await label(corpus, out, options, more);
      expect(end, stderr).toBe(0);
      expect(stdout).toMatch(said);
      expect(await read(out)).toBe(expected);
    }
  });

  it('compressed where the output ends in .gz, in the same bytes whatever the threads', async () => {
    const hashes = new Set<string>();
    for (const workers of ['1', '2']) {
      const out = `packed-${workers}.jsonl.gz`;
      expect((await label(['all.jsonl'], out, ['--workers', workers])).end).toBe(0);
      expect(await unpacked(out)).toBe(expected);
      hashes.add(
        createHash('sha256')
          .update(await readFile(join(folder, out)))
          .digest('hex'),
      );
    }
    expect(hashes.size).toBe(1);
  });

  it('as csv, too', async () => {
    expect((await label(['all.jsonl'], 'plain.csv')).end).toBe(0);
    expect((await label(inOrder, 'packed.csv.gz')).end).toBe(0);
    expect(await unpacked('packed.csv.gz')).toBe(await read('plain.csv'));
  });

  it('beside it, under its own name', async () => {
    const args = ['label', 'part/2.jsonl.gz', '--model', spamBundle, '--speed', '0.03'];
    expect((await runCli(args, { cwd: folder })).end).toBe(0);
    expect(await unpacked('part/2.labelled.jsonl.gz')).toBe(
      `${expected.split('\n').slice(20, 40).join('\n')}\n`,
    );
    // Parquet is compressed inside.
    expect((await runCli([...args, '--out-format', 'parquet'], { cwd: folder })).end).toBe(0);
    expect((await readFile(join(folder, 'part/2.labelled.parquet'))).toString('latin1', 0, 4)).toBe('PAR1');
  });

  it('for a pattern, with the files in the order of their names, and says in which file a rejected row is', async () => {
    const { end, stderr } = await label(
      ['part/[0-9]*.jsonl', 'part/2.jsonl.gz', 'part/1.jsonl'],
      'pattern.jsonl',
    );
    expect(end, stderr).toBe(0);
    const rows = expected.trimEnd().split('\n');
    const [first, second, third] = [rows.slice(0, 20), rows.slice(20, 40), rows.slice(40)];
    expect((await read('pattern.jsonl')).trimEnd().split('\n')).toEqual([...first, ...third, ...second]);
    expect(JSON.parse(await read('pattern.jsonl.run/rejects.jsonl'))).toMatchObject({
      row: 26,
      file: 'part/10.jsonl',
    });
  });
});

describe('sluice label of several compressed files', () => {
  it.each(['planned:4', 'ok-renamed:5', 'merge-written'])(
    'killed at %s resumes to the same bytes',
    async (step) => {
      const out = `killed-${step.replace(':', '-')}.jsonl.gz`;
      const killed = await label(inOrder, out, [], { env: { SLUICE_CRASH_AT: step } });
      expect(killed.end, killed.stderr).toBe('SIGKILL');
      const resumed = await label(inOrder, out);
      expect(resumed.end, resumed.stderr).toBe(0);
      expect(await unpacked(out)).toBe(expected);
      const calm = await label(inOrder, `calm-${out}`);
      expect(calm.end).toBe(0);
      expect(await labelledRun(folder, out)).toEqual(await labelledRun(folder, `calm-${out}`));
    },
  );

  it('resumes for a pattern that its own output and run directory match', async () => {
    await mkdir(join(folder, 'own'));
    await write('own/1.jsonl', text(0, 40));
    await write('own/2.jsonl', text(40, 61));
    for (const step of ['ok-renamed:2', 'output-renamed']) {
      const killed = await label(['own/**/*.jsonl'], 'own/all.jsonl', [], { env: { SLUICE_CRASH_AT: step } });
      expect(killed.end, killed.stderr).toBe('SIGKILL');
    }
    for (let time = 0; time < 2; time++) {
      const { end, stderr } = await label(['own/**/*.jsonl'], 'own/all.jsonl');
      expect(end, stderr).toBe(0);
      expect(await read('own/all.jsonl')).toBe(expected);
    }
  });

  it('is not resumed with other files, another order, another size or other output', async () => {
    const out = 'changed.jsonl.gz';
    expect((await label(inOrder, out, [], { env: { SLUICE_CRASH_AT: 'ok-renamed:3' } })).end).toBe('SIGKILL');
    const fewer = await label(inOrder.slice(0, 2), out);
    expect(fewer.end).toBe(2);
    expect(fewer.stderr).toMatch(/\n {2}files\.2\.path: was ".*10\.jsonl" \/ is now not set\n/);
    const turned = await label(inOrder.toReversed(), out);
    expect(turned.stderr).toMatch(/\n {2}files\.0\.path: was ".*1\.jsonl" \/ is now ".*10\.jsonl"\n/);
    const plain = await label(inOrder, 'other.jsonl', ['--run-dir', `${out}.run`]);
    expect(plain.stderr).toMatch(/\n {2}format: was "jsonl\.gz" \/ is now "jsonl"\n/);
  });
});

describe('sluice label refuses', () => {
  it.each<[string, string[], string[], number, RegExp]>([
    [
      'several files without an output',
      ['label', ...inOrder],
      [],
      2,
      /^sluice: Rows from several files need a place to go: give --out FILE\.$/m,
    ],
    [
      'a pattern without an output, even of one file',
      ['label', 'part/2.jsonl.*'],
      [],
      2,
      /^sluice: Rows from a pattern need a place to go: give --out FILE\.$/m,
    ],
    [
      'a pattern that no file matches',
      ['label', 'no/*.csv'],
      [],
      1,
      /^sluice: Cannot read no\/\*\.csv: no file matches this pattern\.$/m,
    ],
    [
      'a folder',
      ['label', 'part'],
      [],
      1,
      /^sluice: Cannot read part: it is a folder\. Name its files, such as 'part\/\*\.jsonl'\.$/m,
    ],
    [
      'files beside standard input',
      ['label', '-', 'all.jsonl'],
      ['--out', 'x.jsonl', '--format', 'jsonl'],
      1,
      /standard input cannot be joined with files/,
    ],
    [
      'an output that is one of the files',
      ['label', ...inOrder],
      ['--out', 'part/10.jsonl'],
      2,
      /^sluice: The output part\/10\.jsonl is one of the files of the corpus and would replace it/m,
    ],
    [
      '--spreadsheet-safe for jsonl',
      ['label', 'all.jsonl'],
      ['--out', 'x.jsonl', '--spreadsheet-safe'],
      2,
      /^sluice: --spreadsheet-safe is for csv; the output x\.jsonl is jsonl\.$/m,
    ],
  ])('%s', async (_, command, options, code, message) => {
    const { end, stdout, stderr } = await runCli([...command, '--model', spamBundle, ...options], {
      cwd: folder,
    });
    expect({ end, stdout }).toEqual({ end: code, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('a truncated file, and says where it breaks off', async () => {
    const whole = gzipSync(text(0, 61).repeat(40));
    await write('cut.jsonl.gz', whole.subarray(0, whole.length - 100));
    const { end, stderr } = await label(['cut.jsonl.gz'], 'cut.out.jsonl');
    expect(end).toBe(1);
    expect(stderr).toMatch(
      /^sluice: Cannot read cut\.jsonl\.gz behind byte \d+ of its content \(byte \d+ of the file\): it ends in the middle of a gzip member\. Get the file again, whole, and label it in a new run\.$/m,
    );
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('a bomb, soon', async () => {
    await writeZeros(join(folder, 'bomb.jsonl.gz'), 2 ** 30, 1);
    const { end, stdout, stderr } = await label(['bomb.jsonl.gz'], 'bomb.out.jsonl');
    expect({ end, stdout }).toEqual({ end: 1, stdout: '' });
    expect(stderr).toMatch(
      /^sluice: bomb\.jsonl\.gz looks like a decompression bomb: 67\d{6} bytes came out of \d+\. If it is none, say how many bytes may come out \(--max-decompressed-bytes\)\.\n$/,
    );
  });

  it('a table of more columns than are allowed', async () => {
    const names = Array.from({ length: 100_000 }, (_, column) => `c${column}`);
    await write('wide.csv', `text,${names.join(',')}\n`);
    const { end, stderr } = await label(['wide.csv'], 'wide.out.csv');
    expect(end).toBe(1);
    expect(stderr).toMatch(
      /^sluice: Cannot read wide\.csv: it has 100001 columns, more than the 10000 that are allowed\./,
    );
  });
});

it('sluice label --spreadsheet-safe leaves no formula in a csv output', async () => {
  await write('cells.csv', 'id,text,=name\n-5,=1+1,@x\n+3.2, =2,-a\n7,plain,\t\n');
  const { end, stderr } = await label(['cells.csv'], 'cells.out.csv', ['--spreadsheet-safe']);
  expect(end, stderr).toBe(0);
  const rows: string[][] = parse(await read('cells.out.csv'));
  expect(rows.map((row) => row.slice(0, 3))).toEqual([
    ['id', 'text', "'=name"],
    ['-5', "'=1+1", "'@x"],
    ['+3.2', "' =2", "'-a"],
    ['7', 'plain', "'\t"],
  ]);
  const without = await label(['cells.csv'], 'cells.out.csv');
  expect(without.end).toBe(2);
  expect(without.stderr).toMatch(/\n {2}options\.spreadsheetSafe: was true \/ is now false\n/);
});

/** The figures that `sluice evaluate` prints. */
async function evaluate(corpus: readonly string[], more: CliOptions = {}): Promise<object> {
  const chosen = ['--label-field', 'label', '--format', 'jsonl', '--no-timing', '--json'];
  const args = ['evaluate', ...corpus, '--model', spamBundle, ...chosen];
  const { end, stdout, stderr } = await runCli(args, { cwd: folder, ...more });
  expect(end, stderr).toBe(0);
  const { corpus: files, ...figures } = JSON.parse(stdout);
  expect(files).toEqual(corpus);
  return figures;
}

it('sluice evaluate gives the figures of one plain file for several, and for standard input', async () => {
  const figures = await evaluate(['all.jsonl']);
  expect(await evaluate(inOrder)).toEqual(figures);
  expect(await evaluate(['-'], { input: gzipSync(text(0, 61)) })).toEqual(figures);
});
