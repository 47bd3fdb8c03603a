/** What `sluice dev` leaves behind where it is ended, and what it says where it cannot run. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../apps/cli/src/dev/free-port.js';
import { CliProcess, runCli, spamBundle } from './run-cli.js';

let folder: string;
let fleet: CliProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-dev-ends-'));
});
afterEach(async () => {
  fleet?.kill('SIGTERM');
  await fleet?.ended;
  fleet = undefined;
  await rm(folder, { recursive: true, force: true });
});

const small = ['dev', '--model', spamBundle, '--workers', '1', '--no-trainer'];

function dev(...args: string[]): CliProcess {
  fleet = new CliProcess([...small, ...args], { cwd: folder, inputStaysOpen: true });
  return fleet;
}

/** Services of a `sluice dev`: processes that it started, but for the shells that wait for its end. */
async function servicesOf(pid: number): Promise<string[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const services: string[] = [];
  for (const child of children.trim().split(' ')) {
    if ((await readFile(`/proc/${child}/comm`, 'utf8')) !== 'sh\n') services.push(child);
  }
  return services;
}

const alive = async (pids: readonly string[]): Promise<string[]> => {
  const running: string[] = [];
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tX');
    if (!/^State:\t[XZ]/m.test(status)) running.push(pid);
  }
  return running;
};

describe.runIf(process.platform === 'linux')('no service outlives it', () => {
  it.each(['SIGHUP', 'SIGKILL'] as const)('%s, and it starts again in the same folder', async (signal) => {
    const first = dev('--port', '0');
    await first.saying(/Submit a corpus/);
    const services = await servicesOf(first.pid);
    expect(services).toHaveLength(3);
    expect(await alive(services)).toEqual(services);
    first.kill(signal);
    const { end, stderr } = await first.ended;
    expect(end, stderr).toBe(signal === 'SIGHUP' ? 0 : 'SIGKILL');
    await expect.poll(() => alive(services), { timeout: 10_000 }).toEqual([]);
    if (signal === 'SIGHUP') expect(stderr).toContain('dev       stopping');
    await dev('--port', '0').saying(/Submit a corpus/);
  });
});

it('a folder belongs to one at a time', async () => {
  await dev('--port', '0').saying(/API: /);
  const second = await runCli([...small, '--port', '0'], { cwd: folder });
  expect([second.end, second.stderr]).toEqual([
    2,
    expect.stringContaining(`The folder .sluice is in use by the sluice dev of process ${fleet!.pid} `),
  ]);
});

describe('a port that is taken', () => {
  let taken: Server;
  afterEach(() => void taken.close());

  it.each([
    [0, 'the API'],
    [1, 'metrics and queues'],
  ])('%i above that of --port is named before anything starts', async (above, use) => {
    const port = await freePort();
    taken = createServer().listen(port + above, '127.0.0.1');
    await once(taken, 'listening');
    const { end, stderr } = await runCli([...small, '--port', String(port)], { cwd: folder });
    expect(end).toBe(2);
    expect(stderr).toMatch(
      new RegExp(`^sluice: Port ${port + above}, for ${use}, is taken: .*--port\\.\\n$`),
    );
    expect(existsSync(join(folder, '.sluice/redis'))).toBe(false);
    expect(await readdir(join(folder, '.sluice'))).toEqual([]);
  });
});

it('a service that cannot run as it was told ends all of it, with its last line', async () => {
  const { end, stderr } = await dev('--port', '0', '--stages', '9').ended;
  expect(end).toBe(1);
  expect(stderr).toMatch(/^sluice: worker 1 ended 3 times right after its start: sluice worker: .*9.*$/m);
  expect(stderr).toContain('Redis is now ready to exit');
});

it('does not ask for a corpus while the producer is not ready', async () => {
  const port = await freePort();
  const waiting = dev('--port', '0', '--redis', `redis://127.0.0.1:${port}`);
  await waiting.saying(/producer .*Redis/);
  waiting.kill('SIGINT');
  const { stderr } = await waiting.ended;
  expect(stderr).not.toContain('Submit a corpus');
});
