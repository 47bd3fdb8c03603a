import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { RunLock, RunLockedError } from './run-lock.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function putLock(pid: number, content: string): Promise<void> {
  return writeFile(join(folder, `run-${pid}-00000000.lock`), content);
}

it('refuses while a living process has it, by its pid, and leaves no file of its own', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  try {
    await putLock(child.pid!, JSON.stringify({ pid: child.pid, host: hostname() }));
    await expect(RunLock.acquire(folder)).rejects.toMatchObject({ name: 'RunLockedError', pid: child.pid });
    expect(await readdir(folder)).toHaveLength(1);
  } finally {
    child.kill('SIGKILL');
  }
  await once(child, 'exit');
  const lock = await RunLock.acquire(folder);
  expect(await readdir(folder)).toEqual([expect.stringContaining(`run-${process.pid}-`)]);
  await lock.release();
  expect(await readdir(folder)).toEqual([]);
});

it.runIf(process.platform === 'linux')(
  'takes over from a killed process that its parent never reaps',
  async () => {
    // The shell starts a child and becomes a program that waits for none.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [line]: unknown[] = await once(parent.stdout, 'data');
      const pid = Number(String(line));
      await putLock(pid, JSON.stringify({ pid, host: hostname() }));
      await expect(RunLock.acquire(folder)).rejects.toThrow(RunLockedError);
      // Until the shell has become that program, it would still reap the child.
      await vi.waitUntil(async () => (await readFile(`/proc/${parent.pid}/comm`, 'utf8')) === 'sleep\n');
      process.kill(pid, 'SIGKILL');
      await vi.waitUntil(async () => / Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8')));
      await (await RunLock.acquire(folder)).release();
    } finally {
      parent.kill('SIGKILL');
    }
  },
);

it('takes over when the pid now belongs to a process that began later', async () => {
  await putLock(process.pid, JSON.stringify({ pid: process.pid, host: hostname(), started: 'long ago' }));
  await (await RunLock.acquire(folder)).release();
});

it('goes by the pid in the name where the file is torn', async () => {
  await putLock(process.pid, '');
  await expect(RunLock.acquire(folder)).rejects.toThrow(RunLockedError);
});

it('waits for a process of another host, whose file was touched lately, and says what to delete', async () => {
  await putLock(1, JSON.stringify({ pid: 1, host: 'elsewhere' }));
  await expect(RunLock.acquire(folder)).rejects.toThrow(
    /process 1 on host elsewhere.*when .*run-1-.* deleted/,
  );
});

it('takes over from a process of another host that showed no life for a minute', async () => {
  await putLock(1, JSON.stringify({ pid: 1, host: 'elsewhere' }));
  const minuteAgo = new Date(Date.now() - 61_000);
  await utimes(join(folder, 'run-1-00000000.lock'), minuteAgo, minuteAgo);
  const lock = await RunLock.acquire(folder);
  expect(await readdir(folder)).toEqual([expect.stringContaining(`run-${process.pid}-`)]);
  await lock.release();
});

it('shows life while it is held, and hears when it was taken', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const lost: Error[] = [];
    const lock = await RunLock.acquire(folder, (error) => lost.push(error));
    const [name] = await readdir(folder);
    const file = join(folder, name!);
    const minuteAgo = new Date(Date.now() - 61_000);
    await utimes(file, minuteAgo, minuteAgo);
    vi.advanceTimersByTime(10_000);
    await vi.waitUntil(async () => Date.now() - (await stat(file)).mtimeMs < 30_000);
    await rm(file);
    vi.advanceTimersByTime(10_000);
    await vi.waitUntil(() => lost.length > 0);
    expect(lost[0]!.message).toContain('taken over by another host');
    await lock.release();
  } finally {
    vi.useRealTimers();
  }
});

it('never admits two that come at once', async () => {
  for (let round = 0; round < 20; round += 1) {
    const locks = await Promise.allSettled([1, 2, 3].map(() => RunLock.acquire(folder)));
    const held = locks.flatMap((lock) => (lock.status === 'fulfilled' ? [lock.value] : []));
    expect(held.length).toBeLessThanOrEqual(1);
    for (const lock of held) await lock.release();
    expect(await readdir(folder)).toEqual([]);
  }
});
