import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSettings, SettingsError } from './load-settings.js';
import { allSettings } from './setting-paths.js';
import { settingsPage } from './settings-page.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-settings-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

function problemsOf(environment: Record<string, string>): SettingsError['problems'] {
  try {
    loadSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('settings', () => {
  it('have a default each, and listen nowhere but on loopback', () => {
    const settings = loadSettings({});
    for (const { host } of [settings.worker.admin, settings.producer.api, settings.producer.admin]) {
      expect(host).toBe('127.0.0.1');
    }
    for (const { description, path } of allSettings) expect(description, path).not.toBe('');
  });

  it('come from variables before the file before the defaults', async () => {
    const path = await file('some.yaml', 'worker: { jobs: 3, threads: 4 }\nredis:\n  cluster: true\n');
    const { worker, redis } = loadSettings({ SLUICE_CONFIG: path, SLUICE_WORKER_JOBS: '5' });
    expect([worker.jobs, worker.threads, worker.tokenizerThreads]).toEqual([5, 4, 1]);
    expect(redis.cluster).toBe(true);
  });

  it.each([
    ['SLUICE_STAGES', '2-3', 'worker.stages', '2-3'],
    ['SLUICE_STAGES', '1', 'worker.stages', '1'],
    ['SLUICE_WORKER_ADMIN_PORT', '0', 'worker.admin.port', 0],
    ['SLUICE_PRODUCER_FEED_REDIS_USED_RATIO', '0.5', 'producer.feed.redisUsedRatio', 0.5],
    ['SLUICE_REDIS_CLUSTER', 'true', 'redis.cluster', true],
    ['SLUICE_REDIS_PASSWORD', '0123', 'redis.password', '0123'],
    ['SLUICE_REDIS_PASSWORD', '', 'redis.password', null],
  ])('%s=%s is %s', (variable, text, path, value) => {
    const settings: unknown = loadSettings({ [variable]: text });
    expect(settings).toHaveProperty(path, value);
  });

  it('that are secret come from files', async () => {
    const path = await file('password', 'horse battery\n');
    expect(loadSettings({ SLUICE_REDIS_PASSWORD_FILE: path }).redis.password).toBe('horse battery');
    expect(problemsOf({ SLUICE_REDIS_PASSWORD_FILE: path, SLUICE_REDIS_PASSWORD: 'x' })).toEqual([
      expect.objectContaining({ path: 'redis.password', message: expect.stringContaining('not both') }),
    ]);
    expect(problemsOf({ SLUICE_REDIS_PASSWORD_FILE: join(folder, 'none') })).toEqual([
      expect.objectContaining({ path: 'redis.password', message: expect.stringContaining('no such file') }),
    ]);
  });

  it('that are wrong are named, all at once, with what was expected and where they came from', async () => {
    const path = await file('wrong.yaml', 'worker: { threads: many, admin: { prot: 1 } }\n');
    const problems = problemsOf({
      SLUICE_CONFIG: path,
      SLUICE_STAGES: '3-',
      SLUICE_REDIS_URL: 'http://secret@x',
    });
    expect(problems).toEqual([
      {
        path: 'worker.admin.prot',
        source: path,
        message: 'there is no such setting',
      },
      {
        path: 'redis.url',
        source: 'SLUICE_REDIS_URL',
        message: 'expected redis://host:port or rediss://host:port; got another value',
      },
      {
        path: 'worker.stages',
        source: 'SLUICE_STAGES',
        message: 'expected all, a stage such as 1, or stages such as 2-3; got "3-"',
      },
      {
        path: 'worker.threads',
        source: path,
        message: expect.stringMatching(/expected (int|number).*; got "many"/),
      },
    ]);
    expect(new SettingsError(problems).message).toContain(`worker.stages: expected all, a stage`);
  });

  it('of a misspelt variable are missed, those that Kubernetes sets for its services are not', () => {
    expect(problemsOf({ SLUICE_WORKER_JBOS: '1', SLUICE_ADMIN_PORT: '1' })).toEqual([
      { path: 'SLUICE_WORKER_JBOS', source: 'the environment', message: 'there is no such variable' },
      {
        path: 'SLUICE_ADMIN_PORT',
        source: 'the environment',
        message: expect.stringMatching(/there is no such variable; there is SLUICE_WORKER_ADMIN_PORT/),
      },
    ]);
    const ofKubernetes = {
      SLUICE_PRODUCER_SERVICE_HOST: '10.0.0.7',
      SLUICE_PRODUCER_SERVICE_PORT: '9480',
      SLUICE_PRODUCER_SERVICE_PORT_API: '9480',
      SLUICE_PRODUCER_PORT: 'tcp://10.0.0.7:9480',
      SLUICE_PRODUCER_PORT_9480_TCP: 'tcp://10.0.0.7:9480',
      SLUICE_PRODUCER_PORT_9480_TCP_ADDR: '10.0.0.7',
      SLUICE_WORKER_ADMIN_PORT: 'tcp://10.0.0.8:9470',
    };
    expect(loadSettings(ofKubernetes).worker.admin.port).toBe(9470);
  });

  it('in a file that cannot be read, or is none, say so', async () => {
    expect(messageOf(join(folder, 'none.yaml'))).toMatch(/no such file/);
    expect(messageOf(await file('torn.yaml', 'worker: [\n'))).toMatch(/not YAML/);
    expect(messageOf(await file('list.yaml', '- 1\n'))).toMatch(/expected names and values/);
    expect(loadSettings({ SLUICE_CONFIG: await file('empty.yaml', '') })).toEqual(loadSettings({}));
  });

  it('are all in docs/configuration.md', async () => {
    await expect(settingsPage()).toMatchFileSnapshot('../../../docs/configuration.md');
  });
});

const messageOf = (path: string): string =>
  problemsOf({ SLUICE_CONFIG: path })
    .map(({ message }) => message)
    .join();
