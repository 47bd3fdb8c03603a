/** kill -9 of the real command line, at each step of the commit protocol and at any moment. */
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunStep } from '#pipeline/run-directory/run-steps.js';
import { runSteps } from '#pipeline/run-directory/run-steps.js';
import type { LabelledRun } from './labelled-run.js';
import { labelledRun } from './labelled-run.js';
import { jsonLines, mailSample } from './mail-sample.js';
import { randomNumbers } from './random-checkpoint.js';
import type { CliEnd } from './run-cli.js';
import { CliProcess, runCli, spamBundle } from './run-cli.js';

const CHUNK_ROWS = 16;
const KILLED_CHUNK = 5;
/** Of the run that is killed at random. */
const ROWS = 160;
const badRows = ['{"id": 1, "text":', '{"id": 2, "text": 7}', '[]', '{"id": 3}'];

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-kill-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A folder with the corpus and nothing else. */
async function folderWith(name: string, corpus: string): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder);
  await writeFile(join(folder, 'mails.jsonl'), corpus);
  return folder;
}

const labelArgs = [
  'label',
  'mails.jsonl',
  '--model',
  spamBundle,
  '--out',
  'out.jsonl',
  '--label-field',
  'label',
];

function label(folder: string, crashAt?: string): Promise<CliEnd> {
  const args = [...labelArgs, '--speed', '0.03', '--chunk-rows', String(CHUNK_ROWS)];
  return runCli(args, { cwd: folder, env: crashAt === undefined ? {} : { SLUICE_CRASH_AT: crashAt } });
}

describe('sluice label killed at a step of the commit protocol', () => {
  /** 8 chunks, rejects in the first and in the one whose steps kill. */
  let corpus: string;
  let undisturbed: LabelledRun;
  const hit: RunStep[] = [];

  beforeAll(async () => {
    const lines = jsonLines(await mailSample(120, 120))
      .trimEnd()
      .split('\n');
    lines.splice(0, 0, ...badRows.slice(0, 2));
    lines.splice(KILLED_CHUNK * CHUNK_ROWS + 3, 0, ...badRows.slice(2));
    corpus = `${lines.join('\n')}\n`;
    const folder = await folderWith('undisturbed', corpus);
    expect((await label(folder)).end).toBe(0);
    undisturbed = await labelledRun(folder, 'out.jsonl');
    expect(undisturbed.rejects.trimEnd().split('\n')).toHaveLength(badRows.length);
  });
  afterAll(() => console.log(`Killed at ${hit.length} of ${runSteps.length} steps: ${hit.join(', ')}`));

  it.each(runSteps)('%s leaves a run that resumes to the same bytes', async (step) => {
    const folder = await folderWith(step, corpus);
    const isChunkStep =
      runSteps.indexOf(step) > 0 && runSteps.indexOf(step) < runSteps.indexOf('plan-sealed');
    const killed = await label(folder, isChunkStep ? `${step}:${KILLED_CHUNK}` : step);
    expect(killed.end, killed.stderr).toBe('SIGKILL');
    hit.push(step);
    expect([undefined, undisturbed.output]).toContain(await contentOf(join(folder, 'out.jsonl')));
    const resumed = await label(folder);
    expect(resumed.end, resumed.stderr).toBe(0);
    expect(await labelledRun(folder, 'out.jsonl')).toEqual(undisturbed);
  });

  it('refuses to crash at a step that does not exist', async () => {
    const folder = await folderWith('no-step', corpus);
    const { end, stderr } = await label(folder, 'teatime');
    expect(end).toBe(2);
    expect(stderr).toMatch(
      /^sluice: SLUICE_CRASH_AT names no step of the commit protocol; they are run-written, /,
    );
  });
});

it('sluice label killed twenty times at random moments resumes to the same bytes', async () => {
  // Full depth on one thread: seconds of work, so that no process comes to the end before its kill.
  const corpus = jsonLines(await mailSample(ROWS, 400));
  const args = [...labelArgs, '--speed', '0', '--chunk-rows', '2', '--workers', '1'];
  const calm = await folderWith('calm', corpus);
  expect((await runCli(args, { cwd: calm })).end).toBe(0);
  const undisturbed = await labelledRun(calm, 'out.jsonl');

  const folder = await folderWith('stormy', corpus);
  const random = randomNumbers(20);
  const committed: number[] = [];
  for (let kill = 0; kill < 20; kill++) {
    const process = new CliProcess(args, { cwd: folder });
    // Every fourth may hit the start; the others hit the labelling.
    const starts = kill % 4 === 0;
    if (!starts) await process.said(/^labelling/m);
    await sleep(random() * (starts ? 600 : 300));
    process.kill('SIGKILL');
    const { end, stderr } = await process.ended;
    expect(end, stderr).toBe('SIGKILL');
    committed.push(await committedChunks(folder));
  }
  console.log(`Chunks of ${ROWS / 2} that were committed at each kill: ${committed.join(', ')}`);
  expect(committed.at(-1)).toBeGreaterThan(0);
  const last = await runCli(args, { cwd: folder });
  expect(last.end, last.stderr).toBe(0);
  expect(await labelledRun(folder, 'out.jsonl')).toEqual(undisturbed);
});

async function committedChunks(folder: string): Promise<number> {
  const names = await readdir(join(folder, 'out.jsonl.run/chunks')).catch(() => []);
  return names.filter((name) => name.endsWith('.ok')).length;
}

/** Undefined where there is no such file. */
function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
