/** Runs whose command is given again, with other rows or for a place that is taken. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CliEnd } from './run-cli.js';
import { runCli, spamBundle } from './run-cli.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-input-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [first, other] = ['{"text": "AAA"}\n', '{"text": "BBB"}\n'];

function labelStdin(out: string, input: string, env: NodeJS.ProcessEnv = {}): Promise<CliEnd> {
  const args = ['label', '-', '--format', 'jsonl', '--model', spamBundle, '--out', out];
  return runCli(args, { cwd: folder, input, env });
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
