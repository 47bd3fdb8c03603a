/** Runs that are stopped, taken up again, given up to others, or meant to be something else. */
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LabelledRun } from './labelled-run.js';
import { labelledRun } from './labelled-run.js';
import { jsonLines, mailSample } from './mail-sample.js';
import type { CliEnd, CliOptions } from './run-cli.js';
import { CliProcess, runCli, spamBundle } from './run-cli.js';

let root: string;
/** Some seconds of work at full depth, in 24 chunks. */
let corpus: string;
let undisturbed: LabelledRun;

/** At full depth on one thread. */
const slowArgs = (input: string): string[] => ['label', input, ...slowOptions];
const slowOptions = [
  '--format',
  'jsonl',
  '--model',
  spamBundle,
  '--out',
  'out.jsonl',
  '--speed',
  '0',
  '--chunk-rows',
  '4',
  '--workers',
  '1',
];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-stop-'));
  corpus = jsonLines(await mailSample(96, 500));
  const folder = await folderWith('undisturbed', corpus);
  const { end, stderr } = await runCli(slowArgs('mails.jsonl'), { cwd: folder });
  expect(end, stderr).toBe(0);
  undisturbed = await labelledRun(folder, 'out.jsonl');
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A folder with the corpus and nothing else. */
async function folderWith(name: string, mails: string): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder);
  await writeFile(join(folder, 'mails.jsonl'), mails);
  return folder;
}

/** Something was labelled and something is left. */
const underWay = /^labelling: [1-9]\d? %/m;

describe('a signal', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s stops a run with one message, and the run resumes to the same bytes',
    async (signal) => {
      const folder = await folderWith(signal, corpus);
      const process = new CliProcess(slowArgs('mails.jsonl'), { cwd: folder });
      expect(await process.said(underWay)).toBe(true);
      process.kill(signal);
      const { end, stdout, stderr } = await process.ended;
      expect({ end, stdout }).toEqual({ end: 1, stdout: '' });
      expect(
        stderr.split('\n').filter((line) => !line.startsWith('verif') && !line.startsWith('label')),
      ).toEqual([
        expect.stringMatching(
          /^sluice: Stopped with \d+ rows committed in out\.jsonl\.run\. Run the same command again to resume from there\.$/,
        ),
        '',
      ]);
      const committed = Number(/with (\d+) rows/.exec(stderr)?.[1]);
      expect(committed).toBeGreaterThan(0);
      const resumed = await runCli(slowArgs('mails.jsonl'), { cwd: folder });
      expect(resumed.end, resumed.stderr).toBe(0);
      expect(resumed.stderr).toMatch(/^Resuming the run in out\.jsonl\.run\.$/m);
      expect(resumed.stderr).toContain(`, ${committed} resumed`);
      expect(await labelledRun(folder, 'out.jsonl')).toEqual(undisturbed);
    },
  );

  it('stops a run that waits for more of standard input', async () => {
    const folder = await folderWith('waiting', corpus);
    // More than the thousand rows that are looked at before the first is labelled.
    const options = { cwd: folder, input: corpus.repeat(11), inputStaysOpen: true };
    const process = new CliProcess(slowArgs('-'), options);
    expect(await process.said(/^labelling/m)).toBe(true);
    process.kill('SIGINT');
    const { end, stderr } = await process.ended;
    expect(end).toBe(1);
    expect(stderr).toMatch(/^sluice: Stopped with \d+ rows committed in out\.jsonl\.run\. .*\n$/m);
  });

  it('stops a run that waits for the start of standard input, and leaves nothing behind', async () => {
    const folder = await folderWith('starting', corpus);
    const process = new CliProcess(slowArgs('-'), { cwd: folder, inputStaysOpen: true });
    await vi.waitUntil(() => existsSync(join(folder, 'out.jsonl.run/input')), 30_000);
    process.kill('SIGINT');
    expect(await process.ended).toEqual({
      end: 1,
      stdout: '',
      stderr: 'sluice: Stopped while waiting for standard input. Run the same command again.\n',
    });
    expect(await readdir(folder)).toEqual(['mails.jsonl']);
  });

  it('takes a signal that comes twice at once, as through npx, for one', async () => {
    const folder = await folderWith('doubled', corpus);
    const process = new CliProcess(slowArgs('mails.jsonl'), { cwd: folder });
    expect(await process.said(underWay)).toBe(true);
    process.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.kill('SIGINT');
    const { end, stderr } = await process.ended;
    expect({ end, stopped: stderr.includes('sluice: Stopped with') }).toEqual({ end: 1, stopped: true });
  });
});

describe('a run directory', () => {
  /** A run that was killed when its chunks were all committed, and the arguments that began it. */
  let folder: string;
  let mails: string;
  const begun = ['label', 'mails.jsonl', '--model', spamBundle, '--out', 'out.jsonl', '--speed', '0.03'];

  const label = (args: readonly string[], options: CliOptions = {}): Promise<CliEnd> =>
    runCli([...args, '--chunk-rows', '16'], { cwd: folder, ...options });

  beforeAll(async () => {
    mails = jsonLines(await mailSample(96, 100));
    folder = await folderWith('begun', mails);
    expect((await label(begun, { env: { SLUICE_CRASH_AT: 'merge-written' } })).end).toBe('SIGKILL');
  });

  it.each([
    ['another speed', ['--speed', '0.04'], ['policy.0: was 0.03 / is now 0.04', 'policy.6: was 0.03']],
    ['another option', ['--probabilities'], ['options.probabilities: was false / is now true']],
    ['unquoted cells', ['--format', 'tsv', '--no-quotes'], ['options.quotes: was null / is now false']],
    ['fields', ['--fields', 'id,text'], ['options.fields.0: was not set / is now "id"']],
    ['a limit', ['--limit', '50'], ['options.limit: was null / is now 50']],
    ['another output format', ['--out-format', 'csv'], ['format: was "jsonl" / is now "csv"']],
  ])('is not resumed with %s', async (_, options, differences) => {
    const { end, stdout, stderr } = await label([...begun, ...options]);
    expect({ end, stdout }).toEqual({ end: 2, stdout: '' });
    expect(stderr).toMatch(/^sluice: The run directory out\.jsonl\.run holds another run:\n/);
    for (const difference of differences) expect(stderr).toContain(`\n  ${difference}`);
    expect(stderr).toMatch(
      /\nResume it with the input and options it began with, or start afresh in another run directory\.\n$/,
    );
  });

  it('is not resumed with a bundle of other bytes', async () => {
    const other = join(root, 'other-bundle');
    await cp(spamBundle, other, { recursive: true });
    const manifest = await readFile(join(other, 'bundle.json'), 'utf8');
    await writeFile(join(other, 'bundle.json'), manifest.replace('"name": "spam"', '"name": "other"'));
    const { end, stderr } = await label([...begun, '--model', other]);
    expect(end).toBe(2);
    expect(stderr).toMatch(/\n {2}bundle: was "[0-9a-f]{64}" \/ is now "[0-9a-f]{64}"\n/);
  });

  it('is not resumed with a corpus of another size', async () => {
    await writeFile(join(folder, 'mails.jsonl'), `${mails}{"text": "one more"}\n`);
    const { end, stderr } = await label(begun);
    expect(end).toBe(2);
    expect(stderr).toMatch(/\n {2}files\.0\.bytes: was \d+ \/ is now \d+\n/);
  });

  it('is not resumed with a corpus of the same size and other bytes', async () => {
    await writeFile(join(folder, 'mails.jsonl'), mails.replace('"label":"ham"', '"label":"HAM"'));
    const { end, stderr } = await label(begun);
    expect(end).toBe(1);
    expect(stderr).toMatch(
      /^sluice: .*mails\.jsonl changed: bytes 0 to \d+ should be [0-9a-f]{64}, found [0-9a-f]{64}\. Restore the file, or start a new run\.$/m,
    );
  });

  it('of a csv is not resumed where rows that are not planned yet had named its columns', async () => {
    const rows = Array.from({ length: 400 }, (_, row) => ({
      text: `mail ${row}`,
      ...(row === 399 ? { n: 1 } : {}),
    }));
    const named = jsonLines(rows);
    const args = ['label', 'named.jsonl', '--model', spamBundle, '--out', 'named.csv', '--chunk-rows', '4'];
    await writeFile(join(folder, 'named.jsonl'), named);
    const killed = await runCli(args, { cwd: folder, env: { SLUICE_CRASH_AT: 'ok-renamed:0' } });
    expect(killed.end, killed.stderr).toBe('SIGKILL');
    await writeFile(join(folder, 'named.jsonl'), named.replace(',"n":1}', '}      '));
    const changed = await runCli(args, { cwd: folder });
    expect(changed.end).toBe(1);
    expect(changed.stderr).toMatch(
      /^sluice: The columns of the output are no longer those that the run in named\.csv\.run/m,
    );
    await writeFile(join(folder, 'named.jsonl'), named);
    const restored = await runCli(args, { cwd: folder });
    expect(restored.end, restored.stderr).toBe(0);
  });

  it('is resumed after all that, and keeps the chunks that it was planned with', async () => {
    await writeFile(join(folder, 'mails.jsonl'), mails);
    const { end, stderr } = await runCli([...begun, '--chunk-rows', '7'], { cwd: folder });
    expect(end, stderr).toBe(0);
    expect(stderr).toMatch(/^The run was planned with chunks of 16 rows and keeps them \(asked for: 7\)\.$/m);
  });

  it('of a finished run is verified and nothing is computed', async () => {
    const before = await labelledRun(folder, 'out.jsonl');
    const { end, stdout, stderr } = await label(begun);
    expect({ end, stderr }).toEqual({ end: 0, stderr: '' });
    expect(stdout).toMatch(/^This run was finished before; its output was verified\.\n\nLabelled 96 rows/);
    expect(await labelledRun(folder, 'out.jsonl')).toEqual(before);
  });

  it('of a finished run does not answer for a corpus of the same size and other bytes', async () => {
    await writeFile(join(folder, 'mails.jsonl'), mails.replace('"label":"ham"', '"label":"HAM"'));
    const { end, stdout, stderr } = await label(begun);
    expect({ end, stdout }).toEqual({ end: 1, stdout: '' });
    expect(stderr).toMatch(/^sluice: mails\.jsonl changed: bytes 0 to \d+ should be /);
    await writeFile(join(folder, 'mails.jsonl'), mails);
  });

  it('tells when the output of a finished run was changed or removed', async () => {
    const output = await readFile(join(folder, 'out.jsonl'), 'utf8');
    await writeFile(join(folder, 'out.jsonl'), output.replace('ham', 'jam'));
    const changed = await label(begun);
    expect(changed.end).toBe(1);
    expect(changed.stderr).toMatch(
      /^sluice: The run in out\.jsonl\.run is finished, but its output out\.jsonl was changed since\. .*\n$/,
    );
    await rm(join(folder, 'out.jsonl'));
    const removed = await label(begun);
    expect(removed.end).toBe(1);
    expect(removed.stderr).toMatch(
      /^sluice: The run in out\.jsonl\.run is finished, but its output out\.jsonl is missing\. .*\n$/,
    );
    await writeFile(join(folder, 'out.jsonl'), output);
    expect((await label(begun)).end).toBe(0);
  });

  it('is not taken from the process that has it', async () => {
    const shared = await folderWith('shared', corpus);
    const first = new CliProcess(slowArgs('mails.jsonl'), { cwd: shared });
    expect(await first.said(/^labelling/m)).toBe(true);
    const second = await runCli(slowArgs('mails.jsonl'), { cwd: shared });
    expect(second).toEqual({
      end: 1,
      stdout: '',
      stderr: `sluice: The run directory out.jsonl.run is in use by process ${first.pid}. Wait for it or stop it, then run this again to resume.\n`,
    });
    expect((await first.ended).end).toBe(0);
    expect(await labelledRun(shared, 'out.jsonl')).toEqual(undisturbed);
  });
});
