/** What a producer does not let in, and what it says instead; what a worker does not start with. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, spamBundle } from '../run-cli.js';
import type { Producer } from './service-fleet.js';
import { Service, ServiceFleet } from './service-fleet.js';

const MEBIBYTE = 2 ** 20;
let fleet: ServiceFleet;
let producer: Producer;
let folder: string;
const keys = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-limits-'));
  fleet = await ServiceFleet.start({ maxmemory: '64mb', 'maxmemory-policy': 'noeviction' });
  for (const scope of ['read', 'submit', 'admin']) {
    const { end, stdout, stderr } = await runCli(['key', scope, '--scope', scope, '--file', 'keys.json'], {
      cwd: folder,
    });
    expect(end, stderr).toBe(0);
    keys.set(scope, stdout.trim());
  }
  producer = await fleet.producer({
    SLUICE_PRODUCER_KEYS_FILE: join(folder, 'keys.json'),
    SLUICE_PRODUCER_LIMITS_RUNS_KEPT: '3',
    SLUICE_PRODUCER_LIMITS_BODY_BYTES: '4096',
    SLUICE_PRODUCER_LIMITS_UPLOAD_BYTES: '10000',
    SLUICE_PRODUCER_LIMITS_ROWS: '50',
    SLUICE_PRODUCER_LIMITS_REQUESTS_ACTIVE: '20',
  });
});
afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
});

/** But for what signs sessions. */
const runFolders = async (): Promise<string[]> =>
  (await readdir(join(fleet.folder, 'runs'))).filter((name) => !name.startsWith('.'));

const ask = (
  method: string,
  path: string,
  key: string | undefined,
  body?: string | FormData,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(producer.api + path, {
    method,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });

const runOf = (rows: number): string =>
  JSON.stringify({
    model: 'spam',
    rows: Array.from({ length: rows }, (_, row) => ({ text: `text ${row}` })),
  });

async function submit(key = keys.get('submit'), rows = 2): Promise<string> {
  const answer = await ask('POST', '/v1/runs', key, runOf(rows));
  const text = await answer.text();
  expect(answer.status, text).toBe(201);
  const { id }: { id: string } = JSON.parse(text);
  return id;
}

describe('without a key, or with a lesser one,', () => {
  it.each([
    ['GET', '/v1/runs', undefined, 401],
    ['GET', '/v1/runs', 'sluice_wrong', 401],
    ['GET', '/v1/models', undefined, 401],
    ['POST', '/v1/classify', undefined, 401],
    ['POST', '/v1/runs', 'read', 403],
    ['POST', '/v1/classify', 'read', 403],
    ['DELETE', '/v1/runs/aaaaaaaaaaaa', 'read', 403],
    ['GET', '/v1/runs', 'read', 200],
    ['GET', '/v1/session', 'admin', 200],
    ['GET', '/v1/nothing', 'admin', 404],
  ])('%s %s by %s is answered with %i', async (method, path, who, status) => {
    const answer = await ask(method, path, keys.get(who ?? '') ?? who, method === 'POST' ? '{}' : undefined);
    expect(answer.status).toBe(status);
    if (status !== 200) expect(await answer.json()).toHaveProperty('error.message');
  });

  it('a browser shows its key once, and its session then', async () => {
    const refused = await ask('POST', '/v1/session', undefined, JSON.stringify({ key: 'wrong' }));
    expect(refused.status).toBe(401);
    const begun = await ask('POST', '/v1/session', undefined, JSON.stringify({ key: keys.get('read') }));
    const cookie = begun.headers.get('set-cookie')!;
    expect(cookie).toMatch(/^sluice_session=.*HttpOnly; SameSite=Strict$/);
    const session = { cookie: cookie.split(';')[0]! };
    expect(await (await ask('GET', '/v1/session', undefined, undefined, session)).json()).toEqual({
      id: 'read',
      scope: 'read',
    });
    expect((await ask('POST', '/v1/runs', undefined, runOf(1), session)).status).toBe(403);
    expect(
      (await ask('GET', '/v1/runs', undefined, undefined, { cookie: `${session.cookie}x` })).status,
    ).toBe(401);
  });

  it('the command line says so', async () => {
    const env = { SLUICE_SERVER: producer.api };
    const none = await runCli(['runs'], { env });
    expect([none.end, none.stderr]).toEqual([1, expect.stringContaining('Expected an API key')]);
    const some = await runCli(['runs'], { env: { ...env, SLUICE_API_KEY: keys.get('read') } });
    expect([some.end, some.stdout]).toEqual([0, expect.stringContaining('There are no runs')]);
  });

  it('others cannot end a run', async () => {
    const id = await submit(keys.get('admin'));
    const refused = await ask('POST', `/v1/runs/${id}/cancel`, keys.get('submit'));
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining("admin's")]);
    expect((await ask('POST', `/v1/runs/${id}/cancel`, keys.get('admin'))).status).toBe(200);
    expect((await ask('DELETE', `/v1/runs/${id}`, keys.get('admin'))).status).toBe(204);
  });
});

const form = (name: string, bytes: number): FormData => {
  const made = new FormData();
  made.set('options', JSON.stringify({ model: 'spam' }));
  made.set('file', new Blob(['x'.repeat(bytes)]), name);
  return made;
};

describe('requests that are too much', () => {
  it.each([
    ['a body', () => runOf(1000), 413],
    ['keys that change all objects', () => '{"__proto__":{"admin":true},"model":"spam"}', 400],
    ['a constructor', () => '{"model":"spam","constructor":{"prototype":{"x":1}}}', 400],
    ['depth', () => '['.repeat(2000) + ']'.repeat(2000), 400],
    ['no JSON', () => '{"model":', 400],
    ['a wrong field', () => '{"model":"spam","rows":[{"text":"a"}],"chunkRows":5}', 400],
    ['no corpus', () => '{"model":"spam"}', 400],
    ['two corpora', () => '{"model":"spam","rows":[{"text":"a"}],"path":"x.jsonl"}', 400],
    ['a path where none is allowed', () => '{"model":"spam","path":"../../etc/passwd"}', 400],
  ])('%s', async (_, body, status) => {
    const answer = await ask('POST', '/v1/runs', keys.get('submit'), body());
    expect([answer.status, await answer.json()]).toEqual([
      status,
      { error: expect.objectContaining({ code: expect.any(String) }) },
    ]);
    expect(await runFolders()).toEqual([]);
  });

  it('an upload that is too long, or whose name leads elsewhere, leaves nothing', async () => {
    const long = await ask('POST', '/v1/runs', keys.get('submit'), form('a.txt', 10_001));
    expect([long.status, await long.text()]).toEqual([413, expect.stringContaining('10000 bytes')]);
    for (const name of ['..', '~']) {
      const answer = await ask('POST', '/v1/runs', keys.get('submit'), form(name, 10));
      expect([name, answer.status]).toEqual([name, 400]);
    }
    expect(await runFolders()).toEqual([]);
    const elsewhere = form('../../a=b.txt', 10);
    elsewhere.append('file', new Blob(['y']), 'a*b.txt');
    const fine = await ask('POST', '/v1/runs', keys.get('submit'), elsewhere);
    const { id, files }: { id: string; files: string[] } = JSON.parse(await fine.text());
    expect(files).toEqual(['a_b.txt', 'a_b_2.txt']);
    expect((await readdir(join(fleet.folder, 'runs', id, 'input'))).sort()).toEqual(['a_b.txt', 'a_b_2.txt']);
    await ask('POST', `/v1/runs/${id}/cancel`, keys.get('submit'));
    await ask('DELETE', `/v1/runs/${id}`, keys.get('submit'));
  });

  it('more runs than are kept', async () => {
    const ids = [await submit(), await submit(), await submit()];
    const refused = await ask('POST', '/v1/runs', keys.get('submit'), runOf(1));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    for (const id of ids) {
      await ask('POST', `/v1/runs/${id}/cancel`, keys.get('submit'));
      expect((await ask('DELETE', `/v1/runs/${id}`, keys.get('submit'))).status).toBe(204);
    }
  });

  it('a thousand at once are answered or told to come back, and health answers meanwhile', async () => {
    const answers = await Promise.all(
      Array.from({ length: 1000 }, async (_, index) => {
        if (index % 100 === 50) expect((await fetch(`${producer.admin}/health`)).status).toBe(200);
        const answer = await ask('GET', '/v1/runs', keys.get('read'));
        await answer.arrayBuffer();
        return answer;
      }),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].every((status) => status === 200 || status === 503)).toBe(true);
    for (const { status, headers } of answers) {
      if (status === 503) expect(headers.get('retry-after')).toBe('2');
    }
    expect((await ask('GET', '/v1/runs', keys.get('read'))).status).toBe(200);
  });

  it('a run of more rows than one may have fails and says so', async () => {
    const worker = await fleet.worker();
    const id = await submit(keys.get('submit'), 60);
    await expect
      .poll(async () => (await ask('GET', `/v1/runs/${id}`, keys.get('read'))).json(), { timeout: 20_000 })
      .toMatchObject({ phase: 'failed', error: expect.stringContaining('more than the 50 rows') });
    expect(await (await fetch(`${producer.admin}/metrics`)).text()).toContain(
      'sluice_runs_ended_total{outcome="failed"} 1\n',
    );
    expect((await ask('DELETE', `/v1/runs/${id}`, keys.get('submit'))).status).toBe(204);
    worker.kill('SIGTERM');
    await worker.ended;
  });
});

describe('a Redis', () => {
  it('that is full, or away, has the producer say so, and work on when it is not', async () => {
    const worker = await fleet.worker();
    const redis = new Redis(fleet.redis.url);
    let filled = 0;
    // Until it refuses.
    while (await redis.set(`filler:${filled}`, 'x'.repeat(MEBIBYTE)).catch(() => undefined)) filled += 1;
    const refused = async (): Promise<[number, string | null]> => {
      const answer = await ask('POST', '/v1/runs', keys.get('submit'), runOf(1));
      if (answer.status === 201) {
        const { id }: { id: string } = JSON.parse(await answer.text());
        await ask('POST', `/v1/runs/${id}/cancel`, keys.get('submit'));
        await ask('DELETE', `/v1/runs/${id}`, keys.get('submit'));
      }
      return [answer.status, answer.headers.get('retry-after')];
    };
    await expect.poll(refused, { timeout: 10_000 }).toEqual([503, '10']);
    const classified = await ask(
      'POST',
      '/v1/classify',
      keys.get('submit'),
      '{"model":"spam","texts":["a"]}',
    );
    expect(classified.status).toBe(503);
    expect((await ask('GET', '/v1/runs', keys.get('read'))).status).toBe(200);
    for (let each = 0; each < filled; each += 1) await redis.del(`filler:${each}`);
    redis.disconnect();
    await expect.poll(refused, { timeout: 10_000 }).toEqual([201, null]);
    await fleet.redis.kill();
    await expect.poll(refused, { timeout: 10_000 }).toEqual([503, '10']);
    expect((await fetch(`${producer.admin}/health/ready`)).status).toBe(503);
    await expect
      .poll(async () => (await fetch(`${producer.admin}/metrics`)).text(), { timeout: 10_000 })
      .toContain('sluice_redis_up{redis="queue"} 0\n');
    expect((await fetch(`${producer.admin}/health/live`)).status).toBe(200);
    expect((await fetch(`${worker.admin}/health/ready`)).status).toBe(503);
    await fleet.redis.restart();
    await expect.poll(refused, { timeout: 10_000 }).toEqual([201, null]);
    const answer = await ask('POST', '/v1/classify', keys.get('submit'), '{"model":"spam","texts":["a"]}');
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('"label"')]);
  });
});

const start = async (
  app: 'producer' | 'worker',
  env: Readonly<Record<string, string>>,
): Promise<[unknown, string]> => {
  const service = new Service(app, { SLUICE_REDIS_URL: fleet.redis.url, ...env });
  return [await service.ended, service.output];
};

describe('a service does not start', () => {
  const port = { SLUICE_WORKER_ADMIN_PORT: '0' };

  it.each([
    ['producer', { SLUICE_PRODUCER_API_HOST: '0.0.0.0' }, 'let everyone in'],
    ['producer', { SLUICE_PRODUCER_KEYS_FILE: '/nowhere/keys.json' }, 'cannot be read'],
    ['producer', { SLUICE_PRODUCER_API_PORT: 'many' }, 'producer.api.port'],
    ['worker', { ...port, SLUICE_STAGES: '2-4' }, 'Expected stages from 1 to 3'],
    ['worker', { ...port, SLUICE_WORKER_BUNDLE: '/nowhere' }, 'not a bundle'],
  ] as const)('%s with %j', async (app, env, message) => {
    const [end, output] = await start(app, env);
    expect([end, output]).toEqual([1, expect.stringContaining(message)]);
    expect(output).not.toMatch(/\n\s+at /);
  });

  it('worker with a bundle of which a byte is another', async () => {
    const damaged = join(folder, 'damaged');
    await cp(spamBundle, damaged, { recursive: true });
    const stage = join(damaged, 'stage-2.onnx');
    const bytes = await readFile(stage);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(stage, bytes);
    const [end, output] = await start('worker', { ...port, SLUICE_WORKER_BUNDLE: damaged });
    expect([end, output]).toEqual([1, expect.stringMatching(/stage-2\.onnx.*(hash|sha256)/)]);
  });

  it('on a Redis that evicts', async () => {
    const evicting = await ServiceFleet.start({ 'maxmemory-policy': 'allkeys-lru' });
    try {
      const env = {
        SLUICE_REDIS_URL: evicting.redis.url,
        SLUICE_WORKER_BUNDLE: spamBundle,
      };
      expect(await start('worker', { ...port, ...env })).toEqual([
        1,
        expect.stringContaining('set it to noeviction'),
      ]);
    } finally {
      await evicting.stop();
    }
  });
});
