import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildChild } from './built-child.js';

let folder: string;
let script: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-signals-'));
  script = await buildChild('stop-signals.child.ts', folder);
});
afterAll(() => rm(folder, { recursive: true }));

it.each(['SIGINT', 'SIGTERM'] as const)(
  '%s stops cleanly, twice at once is one wish, and once more ends the process',
  async (signal) => {
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const lines = child.stdout.setEncoding('utf8').iterator();
    expect((await lines.next()).value).toBe('ready\n');
    child.kill(signal);
    expect((await lines.next()).value).toBe('stopping\n');
    child.kill(signal);
    await sleep(1000);
    expect(child.exitCode ?? child.signalCode).toBeNull();
    child.kill(signal);
    expect(await ended).toEqual([null, signal]);
  },
);
