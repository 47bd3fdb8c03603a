import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RunStep } from '#pipeline/run-directory/run-steps.js';
import { runSteps } from '#pipeline/run-directory/run-steps.js';
import { buildChild } from './built-child.js';
import { toyCorpusText } from './toy-ports.js';
import type { RunOutcome } from './toy-run.js';
import { outcomeOf } from './toy-run.js';

/** 12 chunks of 10 rows. */
const corpus = toyCorpusText(115);

let root: string;
let child: string;
let undisturbed: RunOutcome;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-crash-'));
  child = await buildChild('toy-run.child.ts', join(root, 'child'));
  const folder = await corpusFolder();
  expect(await runChild(folder)).toBe(0);
  undisturbed = await outcomeOf(folder);
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

describe('a process killed with SIGKILL', () => {
  it.each(runSteps)('at %s leaves a run that resumes to the same bytes', async (step) => {
    const folder = await corpusFolder();
    expect(await runChild(folder, step)).toBe('SIGKILL');
    const output = await contentOf(folder, 'out.txt');
    expect([undefined, undisturbed.output]).toContain(output);
    if (output === undefined) expect(await contentOf(folder, 'out.txt.run/_SUCCESS')).toBeUndefined();
    expect(await runChild(folder)).toBe(0);
    expect(await outcomeOf(folder)).toEqual(undisturbed);
  });

  it.each(runSteps.filter(isChunkStep))('at %s, again and again, loses no chunk', async (step) => {
    const folder = await corpusFolder();
    for (const nth of [1, 2, 4]) expect(await runChild(folder, step, nth)).toBe('SIGKILL');
    expect(await runChild(folder)).toBe(0);
    expect(await outcomeOf(folder)).toEqual(undisturbed);
  });

  it('after any number of steps, twenty times in one run, finishes with the same bytes', async () => {
    const folder = await corpusFolder();
    let kills = 0;
    for (let round = 0; round < 20; round += 1) {
      if ((await runChild(folder, 'any', 1 + ((round * 5) % 7))) === 'SIGKILL') kills += 1;
    }
    expect(kills).toBe(20);
    expect(await runChild(folder)).toBe(0);
    expect(await outcomeOf(folder)).toEqual(undisturbed);
  });
});

function isChunkStep(step: RunStep): boolean {
  return runSteps.indexOf(step) > 0 && runSteps.indexOf(step) <= runSteps.indexOf('ok-renamed');
}

async function corpusFolder(): Promise<string> {
  const folder = await mkdtemp(join(root, 'run-'));
  await writeFile(join(folder, 'corpus.txt'), corpus);
  return folder;
}

/** Undefined where there is no such file. */
function contentOf(folder: string, name: string): Promise<string | undefined> {
  return readFile(join(folder, name), 'utf8').catch(() => undefined);
}

/** @returns how the process ended: its exit code or the signal that killed it */
function runChild(folder: string, step = '', nth = 1): Promise<number | string | null> {
  return new Promise((resolve, reject) => {
    const started = spawn(process.execPath, [child, folder, step, String(nth)], { stdio: 'inherit' });
    started.on('error', reject);
    started.on('exit', (code, signal) => resolve(signal ?? code));
  });
}
