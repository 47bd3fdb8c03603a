/** The Redis of the queues and that of the activations, as k8s/ configures them, with the users that make-secrets.sh makes. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis, expectQueueRedis } from '#queue/redis-connection.js';
import { RedisServer } from '../fleet/redis-server.js';
import { projectFolder } from '../project-folder.js';

let folder: string;
let secrets: string;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-k8s-redis-'));
  secrets = join(folder, 'secrets');
  await promisify(execFile)(join(projectFolder, 'k8s/make-secrets.sh'), [secrets]);
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
  await rm(folder, { recursive: true, force: true });
});

/** A file of k8s/ as a real server reads it, in folders and at an address of this test. */
async function started(file: string): Promise<RedisServer> {
  const lines = (await readFile(join(projectFolder, 'k8s', file), 'utf8')).matchAll(/^([a-z-]+) (.+)$/gm);
  const settings = Object.fromEntries(
    Array.from(lines, ([, name, value]) => [name, value === '""' ? '' : value!]),
  );
  expect(settings['aclfile']).toBe('/run/secrets/redis/users.acl');
  const { dir: _dir, ...others } = settings;
  const server = await RedisServer.start({
    ...others,
    bind: '127.0.0.1',
    aclfile: join(secrets, 'users.acl'),
  });
  closing.push(() => server.stop());
  return server;
}

function opened<Connection extends { disconnect(): void }>(connection: Connection): Connection {
  closing.push(() => connection.disconnect());
  return connection;
}

describe.each([
  ['base/redis-queue.conf', 'noeviction', '1'],
  ['overlays/dev/redis-queue.conf', 'noeviction', '1'],
  ['base/redis-activations.conf', 'allkeys-lru', '0'],
  ['overlays/dev/redis-activations.conf', 'allkeys-lru', '0'],
])('%s', (file, policy, keepsFile) => {
  it(`is a Redis that has ${policy} and a bound, and lets in Sluice with its password alone`, async () => {
    const { url } = await started(file);
    const place = { url, username: 'sluice', password: await readFile(join(secrets, 'password'), 'utf8') };
    const redis = opened(connectRedis(place));
    const info = await redis.info();
    expect(info).toMatch(new RegExp(`^maxmemory_policy:${policy}\\r$`, 'm'));
    expect(info).toMatch(/^maxmemory:[1-9]/m);
    expect(info).toMatch(new RegExp(`^aof_enabled:${keepsFile}\\r$`, 'm'));
    await (policy === 'noeviction' ? expectQueueRedis(redis) : redis.set('{sluice}:it', 'takes values'));
    await expect(redis.set('elsewhere', '1')).rejects.toThrow(/NOPERM/);

    const nobody = opened(new Redis(url, { enableReadyCheck: false }));
    expect(await nobody.ping()).toBe('PONG');
    await expect(nobody.get('{sluice}:it')).rejects.toThrow(/NOPERM/);
    const guess = { username: 'sluice', password: 'guessed', enableReadyCheck: false };
    const wrong = opened(new Redis(url, guess));
    wrong.on('error', () => undefined);
    await expect(wrong.get('{sluice}:it')).rejects.toThrow(/NOPERM|WRONGPASS/);
  });
});

it('the user has the rights that docs/fleet.md names, and no more', async () => {
  const page = await readFile(join(projectFolder, 'docs/fleet.md'), 'utf8');
  const [, rights = 'none'] = /An ACL user needs no more than `([^`]+)`/.exec(page) ?? [];
  const users = await readFile(join(secrets, 'users.acl'), 'utf8');
  expect(users).toMatch(/^user default on nopass resetkeys resetchannels -@all \+ping$/m);
  expect(
    users
      .split('\n')
      .filter((line) => line.startsWith('user sluice'))
      .join(),
  ).toContain(` ${rights}`);
});
