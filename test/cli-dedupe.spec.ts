/** Texts of the same tokens are computed once, and nothing but the report's last session tells. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunReport } from '#pipeline/report/run-report.js';
import { jsonLines, mailSample } from './mail-sample.js';
import { runCli, spamBundle } from './run-cli.js';

const TIMES = 5;
let folder: string;
let distinct: number;
let runs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-dedupe-'));
  const mails = await mailSample(60, 90);
  distinct = new Set(mails.map(({ text }) => text)).size;
  const repeated = Array.from({ length: TIMES }, (_, time) =>
    // The tokeniser lowers letters, so these are other texts of the same tokens.
    mails.map((mail) => (time === 2 ? { ...mail, text: mail.text.toUpperCase() } : mail)),
  );
  await writeFile(join(folder, 'mails.jsonl'), jsonLines(repeated.flat()));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const argsFor = (out: string, options: readonly string[]): string[] => {
  const rows = ['--chunk-rows', '32', '--label-field', 'label', '--speed', '0.03', '--probabilities'];
  return ['label', 'mails.jsonl', '--model', spamBundle, '--out', out, ...rows, ...options];
};

async function label(
  ...options: readonly string[]
): Promise<{ output: string; counts: object; repeated: number; stdout: string }> {
  const out = `out-${(runs += 1)}.jsonl`;
  const { end, stdout, stderr } = await runCli(argsFor(out, options), { cwd: folder });
  expect(end, stderr).toBe(0);
  const report: RunReport = JSON.parse(await readFile(join(folder, `${out}.run/report.json`), 'utf8'));
  const { run, lastSession, ...counts } = report;
  expect(run).not.toBe('');
  const output = await readFile(join(folder, out), 'utf8');
  return { output, counts, repeated: lastSession.rowsRepeated, stdout };
}

it('gives the same output and counts with and without, and says how many rows it did not compute', async () => {
  const without = await label('--no-dedupe');
  expect(without.repeated).toBe(0);
  expect(without.stdout).not.toContain('were like others');
  const rows = without.output.trimEnd().split('\n').length;

  const withDedupe = await label();
  expect(withDedupe.output).toBe(without.output);
  expect(withDedupe.counts).toEqual(without.counts);
  expect(rows - withDedupe.repeated).toBeLessThanOrEqual(distinct);
  expect(withDedupe.stdout).toContain(`${withDedupe.repeated} rows were like others and took their answers`);
});

it('goes on with or without, whatever the run began with', async () => {
  const env = { SLUICE_CRASH_AT: 'ok-renamed:4' };
  expect((await runCli(argsFor('resumed.jsonl', []), { cwd: folder, env })).end).toBe('SIGKILL');
  expect((await runCli(argsFor('resumed.jsonl', ['--no-dedupe']), { cwd: folder })).end).toBe(0);
  const resumed = await readFile(join(folder, 'resumed.jsonl'), 'utf8');
  expect(resumed).toBe((await label('--dedupe-memory', '1')).output);
});
