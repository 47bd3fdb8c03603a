/** Runs whose command is given again, with other rows or for a place that is taken. */
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { CliEnd } from './run-cli.js';
import { CliProcess, runCli, spamBundle } from './run-cli.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-input-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [first, other] = ['{"text": "AAA"}\n', '{"text": "BBB"}\n'];

function stdinArgs(out: string): string[] {
  return ['label', '-', '--format', 'jsonl', '--model', spamBundle, '--out', out];
}

function labelStdin(out: string, input: string, env: NodeJS.ProcessEnv = {}): Promise<CliEnd> {
  return runCli(stdinArgs(out), { cwd: folder, input, env });
}

it.each([
  ['finished', 'done.jsonl', undefined],
  ['killed', 'killed.jsonl', 'plan-sealed'],
])('a %s run refuses other standard input than it read, and takes the same or none', async (_, out, step) => {
  await labelStdin(out, first, { SLUICE_CRASH_AT: step });
  const refused = await labelStdin(out, other);
  expect(refused.end).toBe(1);
  expect(refused.stderr).toMatch(/^sluice: Standard input changed: bytes 0 to 16 should be /m);
  for (const input of ['', first]) expect(await labelStdin(out, input)).toMatchObject({ end: 0 });
  expect(await readFile(join(folder, out), 'utf8')).toContain('AAA');
});

it('a run that was finished without rows does not answer for rows', async () => {
  expect((await labelStdin('empty.jsonl', '')).end).toBe(0);
  expect((await labelStdin('empty.jsonl', first)).end).toBe(1);
});

it('standard input outlives a stop before the first row was labelled, and the same command goes on', async () => {
  const stopped = new CliProcess(stdinArgs('early.jsonl'), {
    cwd: folder,
    input: first,
    inputStaysOpen: true,
  });
  const spool = join(folder, 'early.jsonl.run/input');
  await vi.waitUntil(async () => (await readFile(spool, 'utf8').catch(() => '')) === first, 30_000);
  stopped.kill('SIGINT');
  expect((await stopped.ended).end).toBe(1);
  expect(await readFile(spool, 'utf8')).toBe(first);
  expect((await labelStdin('early.jsonl', first)).end).toBe(0);
});

it('a corrected command takes the same standard input', async () => {
  const wrong = [...stdinArgs('corrected.jsonl'), '--text-field', 'body'];
  expect((await runCli(wrong, { cwd: folder, input: first })).end).toBe(1);
  expect(await labelStdin('corrected.jsonl', first)).toMatchObject({ end: 0 });
});

it('a file that no run of its own wrote is not replaced, and the refused start leaves no trace', async () => {
  await writeFile(join(folder, 'taken.jsonl'), 'precious');
  const before = await readdir(folder);
  const { end, stdout, stderr } = await labelStdin('taken.jsonl', first);
  expect(stdout).toBe('');
  expect(end).not.toBe(0);
  expect(stderr).toBe(
    'sluice: The output taken.jsonl exists, and this run did not write it. Name another --out, or remove it.\n',
  );
  expect(await readFile(join(folder, 'taken.jsonl'), 'utf8')).toBe('precious');
  expect(await readdir(folder)).toEqual(before);
});
