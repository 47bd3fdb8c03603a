/** Redis with TLS and a user of few rights, and a cluster: the fleet labels over each as over any other. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { freePort } from '../../apps/cli/src/dev/free-port.js';
import { RedisActivationStore } from '#queue/redis-activation-store.js';
import type { RedisPlace } from '#queue/redis-connection.js';
import { connectRedis, expectQueueRedis } from '#queue/redis-connection.js';
import { outcomeOf, toyRun } from '../toy-run.js';
import { toyCorpusText } from '../toy-ports.js';
import { RedisServer } from './redis-server.js';
import { openFleet, openToyWorker } from './toy-fleet.js';

const certificate = join(import.meta.dirname, '../fixtures/tls/certificate.pem');
const key = join(import.meta.dirname, '../fixtures/tls/key.pem');
const SLOTS = 16_384;

const closing: (() => Promise<unknown>)[] = [];
/** Ends what was begun since there were so many. */
async function closeTo(count: number): Promise<void> {
  for (const close of closing.splice(count).toReversed()) await close();
}
afterEach(() => closeTo(0));

async function runOver(place: RedisPlace): Promise<void> {
  const connection = connectRedis(place);
  connection.on('error', () => undefined);
  closing.push(() => Promise.resolve(connection.disconnect()));
  await expectQueueRedis(connection);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-kinds-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'corpus.txt'), toyCorpusText(95));
  await toyRun({ folder });
  const expected = await outcomeOf(folder);
  for (const name of ['out.txt', 'out.txt.run']) await rm(join(folder, name), { recursive: true });
  for (const stages of [[0, 1] as const, [2, 2] as const]) {
    const worker = openToyWorker(place, { stages });
    closing.push(() => worker.close());
  }
  await toyRun({
    folder,
    fleet: (run) => {
      const fleet = openFleet(place, run.record.id);
      closing.push(() => fleet.close());
      return fleet.labeller;
    },
  });
  expect(await outcomeOf(folder)).toEqual(expected);
}

it('TLS, and a user with no rights but those that docs/fleet.md names', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-kinds-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const users = join(folder, 'users.acl');
  const rights = '~{sluice}:* ~sluice:* &* +@all -@admin -@dangerous +info';
  await writeFile(users, `user default off\nuser sluice on >secret ${rights}\n`);
  const redis = await RedisServer.start({
    'tls-port': String(await freePort()),
    port: '0',
    'tls-cert-file': certificate,
    'tls-key-file': key,
    'tls-ca-cert-file': certificate,
    'tls-auth-clients': 'no',
    aclfile: users,
  });
  closing.push(() => redis.stop());
  const tls = { ca: await readFile(certificate, 'utf8') };
  await runOver({ url: redis.url, username: 'sluice', password: 'secret', tls });
});

it('TLS whose certificate nobody vouches for is not spoken to', async () => {
  const redis = await RedisServer.start({
    'tls-port': String(await freePort()),
    port: '0',
    'tls-cert-file': certificate,
    'tls-key-file': key,
    'tls-ca-cert-file': certificate,
    'tls-auth-clients': 'no',
  });
  closing.push(() => redis.stop());
  const connection = connectRedis({ url: redis.url }, { retryStrategy: () => 50 });
  closing.push(() => Promise.resolve(connection.disconnect()));
  const refused = new Promise<Error>((resolve) =>
    connection.on('error', (error: Error) => {
      if (/certificate/.test(error.message)) resolve(error);
    }),
  );
  void connection.ping().catch(() => undefined);
  expect((await refused).message).toContain('self-signed certificate');
});

it('a cluster of three', async () => {
  const servers = await Promise.all(
    [1, 2, 3].map(() =>
      RedisServer.start({ 'cluster-enabled': 'yes', 'cluster-require-full-coverage': 'yes' }),
    ),
  );
  for (const server of servers) closing.push(() => server.stop());
  const [first, ...others] = servers.map(({ url }) => new Redis(url));
  for (const [index, admin] of [first!, ...others].entries()) {
    closing.push(() => Promise.resolve(admin.disconnect()));
    admin.on('error', () => undefined);
    const from = Math.floor((index * SLOTS) / 3);
    const to = Math.floor(((index + 1) * SLOTS) / 3);
    await admin.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, at) => from + at));
  }
  for (const { options } of others) await first!.cluster('MEET', options.host!, options.port!);
  await expect.poll(() => first!.cluster('INFO'), { timeout: 20_000 }).toContain('cluster_state:ok');
  for (const admin of others)
    await expect.poll(() => admin.cluster('INFO'), { timeout: 20_000 }).toContain('cluster_state:ok');
  const place = { url: servers[0]!.url, cluster: true };
  const before = closing.length;
  await runOver(place);
  await closeTo(before);

  // Away, it lets activations wait as a single server does.
  const connection = connectRedis(place);
  connection.on('error', () => undefined);
  closing.push(() => Promise.resolve(connection.disconnect()));
  const store = new RedisActivationStore(connection);
  await store.put('before', new Uint8Array([1]));
  await Promise.all(servers.map((server) => server.kill()));
  const bytes = new Uint8Array([1, 2, 3]);
  const waiting = [store.hasRoom(1), store.put('meanwhile', bytes), store.get('before'), store.drop('none')];
  const settled = vi.fn<() => void>();
  for (const each of waiting) void each.then(settled, settled);
  await sleep(3000);
  expect(settled).not.toHaveBeenCalled();
  await Promise.all(servers.map((server) => server.restart()));
  expect(await Promise.all(waiting)).toEqual([true, undefined, Buffer.from([1]), undefined]);
  expect(await store.get('meanwhile')).toEqual(Buffer.from(bytes));
});
