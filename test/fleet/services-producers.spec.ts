/** Producers that stop, or share their runs with others. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { spamBundle } from '../run-cli.js';
import type { RunView } from '#run/run-view.js';
import type { Producer } from './service-fleet.js';
import { ServiceFleet } from './service-fleet.js';

let fleet: ServiceFleet;
let redis: Redis;
/** Where there is a model that no worker serves, beside that of the demo. */
let models: string;

beforeAll(async () => {
  fleet = await ServiceFleet.start();
  redis = new Redis(fleet.redis.url);
  models = join(fleet.folder, 'models');
  for (const name of ['spam', 'other']) {
    await mkdir(join(models, name), { recursive: true });
    await cp(spamBundle, join(models, name), { recursive: true });
  }
  const manifest = join(models, 'other', 'bundle.json');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('"spam"', '"other"'));
});
afterAll(async () => {
  redis.disconnect();
  await fleet.stop();
});

const start = (env: Readonly<Record<string, string>> = {}): Promise<Producer> =>
  fleet.producer({ SLUICE_MODELS_ROOT: models, ...env });

const send = (producer: Producer, method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(producer.api + path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });

async function submit(producer: Producer, model: string, task: object = {}): Promise<string> {
  const answer = await send(producer, 'POST', '/v1/runs', { ...task, model, rows: [{ text: 'a' }] });
  const { id }: { id: string } = JSON.parse(await answer.text());
  return id;
}

async function view(producer: Producer, id: string): Promise<Record<string, unknown>> {
  return JSON.parse(await (await fetch(`${producer.api}/v1/runs/${id}`)).text());
}

const activeRuns = async (producer: Producer): Promise<string | undefined> =>
  /^sluice_runs\{state="active"\} (\d+)$/m.exec(await (await fetch(`${producer.admin}/metrics`)).text())?.[1];

it('a producer stops though somebody watches, and begins with nothing meanwhile', async () => {
  const producer = await start();
  const id = await submit(producer, 'spam');
  const stream = await fetch(`${producer.api}/v1/runs/${id}/events`);
  const upload = new AbortController();
  const form = new ReadableStream({
    start: (sent) => sent.enqueue(new TextEncoder().encode('--x\r\n')),
  });
  const uploading = fetch(`${producer.api}/v1/runs`, {
    method: 'POST',
    body: form,
    duplex: 'half',
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    signal: upload.signal,
  }).catch(() => undefined);
  expect(stream.status).toBe(200);
  producer.kill('SIGTERM');
  const worker = await fleet.worker();
  expect(await producer.ended).toBe(0);
  upload.abort();
  await uploading;
  const next = await start();
  expect(await redis.keys('*:r-*')).toEqual([]);
  await expect.poll(async () => (await view(next, id))['phase'], { timeout: 20_000 }).toBe('finished');
  for (const each of [next, worker]) {
    each.kill('SIGTERM');
    await each.ended;
  }
}, 40_000);

it('a run that another producer cancels and deletes is forgotten', async () => {
  const env = { SLUICE_PRODUCER_FINGERPRINT: 'onnxruntime 0.1 of old' };
  const [feeding, other] = [await start(env), await start(env)];
  const id = await submit(feeding, 'spam');
  await expect.poll(() => redis.keys('*:r-*'), { timeout: 10_000 }).toHaveLength(1);
  expect((await send(other, 'POST', `/v1/runs/${id}/cancel`, {})).status).toBe(200);
  expect((await send(other, 'DELETE', `/v1/runs/${id}`)).status).toBe(204);
  await expect.poll(() => activeRuns(feeding), { timeout: 10_000 }).toBe('0');
  expect([await redis.keys('*:r-*'), await redis.keys('*:run:*')]).toEqual([[], []]);
  for (const each of [feeding, other]) {
    each.kill('SIGTERM');
    await each.ended;
  }
});

it('runs of a model that no worker serves keep no others waiting', async () => {
  const producer = await start({ SLUICE_PRODUCER_LIMITS_RUNS_ACTIVE: '1' });
  const worker = await fleet.worker({ SLUICE_WORKER_BUNDLE: join(models, 'spam') });
  const waiting = [await submit(producer, 'other'), await submit(producer, 'other')];
  for (const id of waiting) {
    await expect
      .poll(async () => (await view(producer, id))['waitsFor'], { timeout: 10_000 })
      .toBe('No worker serves the model other yet.');
  }
  const id = await submit(producer, 'spam');
  await expect.poll(async () => (await view(producer, id))['phase'], { timeout: 20_000 }).toBe('finished');
  const late = await fleet.worker({ SLUICE_WORKER_BUNDLE: join(models, 'other') });
  for (const each of waiting) {
    await expect
      .poll(async () => (await view(producer, each))['phase'], { timeout: 20_000 })
      .toBe('finished');
  }
  for (const each of [producer, worker, late]) {
    each.kill('SIGTERM');
    await each.ended;
  }
}, 90_000);

it('what cannot be read is the fault of who sent it', async () => {
  const producer = await start();
  const form = (type: string, body: string): Promise<Response> =>
    fetch(`${producer.api}/v1/runs`, { method: 'POST', headers: { 'content-type': type }, body });
  for (const type of ['multipart/form-data; boundary=x', 'multipart/form-data']) {
    const answer = await form(type, 'garbage');
    expect([type, answer.status]).toEqual([type, 400]);
  }
  const options = 'content-disposition: form-data; name="options"\r\n\r\n{"model": "spam"}';
  const cut = `--x\r\n${options}\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{"text"`;
  const answer = await form('multipart/form-data; boundary=x', cut);
  expect([answer.status, await answer.text()]).toEqual([
    400,
    expect.stringContaining('The form ends within a.jsonl'),
  ]);
  const both = await send(producer, 'POST', '/v1/runs', {
    model: 'spam',
    speed: 0,
    policy: 'fast',
    rows: [{ text: 'a' }],
  });
  expect([both.status, await both.text()]).toEqual([
    400,
    expect.stringContaining('Expected speed or policy; got both.'),
  ]);
});

it('an upload may have thousands of files, of which a few are told', async () => {
  const producer = await start();
  const form = new FormData();
  form.set('options', JSON.stringify({ model: 'spam' }));
  for (let file = 0; file < 1200; file += 1)
    form.append('file', new Blob(['{"text":"a"}\n']), `${file}.jsonl`);
  const answer = await fetch(`${producer.api}/v1/runs`, { method: 'POST', body: form });
  const { files, fileCount }: RunView = JSON.parse(await answer.text());
  expect([answer.status, files.length, files[0], fileCount]).toEqual([201, 20, '0.jsonl', 1200]);
});

it('files of the same name, from two folders, are one corpus', async () => {
  const producer = await start();
  const form = new FormData();
  form.set('options', JSON.stringify({ model: 'spam' }));
  for (const text of ['a', 'b']) form.append('file', new Blob([`{"text":"${text}"}\n`]), 'mails.jsonl');
  const answer = await fetch(`${producer.api}/v1/runs`, { method: 'POST', body: form });
  const submitted: unknown = JSON.parse(await answer.text());
  expect(submitted).toMatchObject({ files: ['mails.jsonl', 'mails_2.jsonl'] });
});

it('a Redis that answers nothing is a reason to come back later', async () => {
  const producer = await start();
  fleet.redis.pause();
  try {
    const answer = await send(producer, 'POST', '/v1/classify', { model: 'spam', texts: ['a'] });
    expect([answer.status, answer.headers.has('retry-after')]).toEqual([503, true]);
  } finally {
    fleet.redis.goOn();
  }
});

it('a run that cannot be gone on with leaves nothing of an earlier producer in Redis', async () => {
  const producer = await start({ SLUICE_PRODUCER_FINGERPRINT: 'onnxruntime 0.1 of old' });
  const id = await submit(producer, 'spam');
  await expect.poll(async () => (await view(producer, id))['phase'], { timeout: 10_000 }).toBe('running');
  await expect.poll(() => redis.keys('*:r-*'), { timeout: 10_000 }).not.toEqual([]);
  producer.kill('SIGKILL');
  await producer.ended;
  await writeFile(join(models, 'spam', 'bundle.json'), '{}');
  const next = await start();
  await expect.poll(async () => (await view(next, id))['phase'], { timeout: 20_000 }).toBe('failed');
  expect([await redis.keys('*:r-*'), await redis.keys('*:run:*')]).toEqual([[], []]);
});
