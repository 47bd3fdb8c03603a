import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildChild } from './built-child.js';

let folder: string;
let script: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-signals-'));
  script = await buildChild('stop-on-signals.child.ts', folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A child that has said that it is ready. */
async function readyChild(...args: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

describe.each(['SIGINT', 'SIGTERM'] as const)('%s', (signal) => {
  it('ends a process that is stopping already, unless it follows on the heels of the first', async () => {
    const child = await readyChild();
    const ended = once(child, 'exit');
    child.kill(signal);
    await once(child.stdout!, 'data');
    child.kill(signal);
    await sleep(700);
    expect(child.exitCode ?? child.signalCode).toBeNull();
    child.kill(signal);
    expect(await ended).toEqual([null, signal]);
  });

  it('ends a process that no longer stops on it', async () => {
    const child = await readyChild('released');
    const ended = once(child, 'exit');
    child.kill(signal);
    expect(await ended).toEqual([null, signal]);
  });
});
