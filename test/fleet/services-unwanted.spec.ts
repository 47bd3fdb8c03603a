/** What nobody waits for any more is not worked on, and what waits for what is not there says so. */
import { request } from 'node:http';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fingerprint } from '#inference/fingerprint.js';
import type { Producer } from './service-fleet.js';
import { ServiceFleet } from './service-fleet.js';

const MOST_WAITING = 3;
let fleet: ServiceFleet;
let producer: Producer;
let redis: Redis;

beforeAll(async () => {
  fleet = await ServiceFleet.start();
  redis = new Redis(fleet.redis.url);
  producer = await fleet.producer({
    // As if there were workers: what is given out waits in the queue.
    SLUICE_PRODUCER_FINGERPRINT: fingerprint(),
    SLUICE_PRODUCER_LIMITS_CLASSIFY_ACTIVE: String(MOST_WAITING),
    SLUICE_PRODUCER_LIMITS_STREAMS_ACTIVE: '1',
  });
});
afterAll(async () => {
  redis.disconnect();
  await fleet.stop();
});

const post = (path: string, body: unknown, signal?: AbortSignal): Promise<Response> =>
  fetch(producer.api + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
const classify = (texts: readonly string[], signal?: AbortSignal): Promise<Response> =>
  post('/v1/classify', { model: 'spam', texts }, signal);

async function submit(rows: number, task: { readonly speed?: number } = {}, text = 'text'): Promise<string> {
  const texts = Array.from({ length: rows }, (_, row) => ({ text: `${row} ${text}` }));
  const { id }: { id: string } = JSON.parse(
    await (await post('/v1/runs', { ...task, model: 'spam', rows: texts })).text(),
  );
  return id;
}

const view = async (id: string): Promise<Record<string, unknown>> =>
  JSON.parse(await (await fetch(`${producer.api}/v1/runs/${id}`)).text());

/** Jobs, and what else there is of runs. */
const jobKeys = (run = ''): Promise<string[]> => redis.keys(`*:r-${run}*`);
const runKeys = (): Promise<string[]> => redis.keys('*:run:*');

const statusFor = (host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(`${producer.admin}/queues/`, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });

async function rowsAtFirstStage(worker: { readonly admin: string }): Promise<number> {
  const text = await (await fetch(`${worker.admin}/metrics`)).text();
  return Number(/^sluice_stage_rows_sum\{stage="1"\} (\S+)$/m.exec(text)?.[1] ?? 0);
}

it('a cancelled run leaves nothing in Redis, though no worker ever came', async () => {
  const id = await submit(50);
  await expect.poll(() => jobKeys(), { timeout: 10_000 }).toHaveLength(1);
  expect(await runKeys()).not.toEqual([]);
  expect((await post(`/v1/runs/${id}/cancel`, {})).status).toBe(200);
  expect([await jobKeys(), await runKeys()]).toEqual([[], []]);
});

it('a run that is cancelled in full flow frees the workers, and leaves nothing in Redis', async () => {
  const workers = [await fleet.worker({ SLUICE_STAGES: '1' }), await fleet.worker({ SLUICE_STAGES: '2-3' })];
  // Some minutes of work.
  const long = Array.from({ length: 400 }, (_, word) => `word ${word}`).join(' ');
  const runs = [];
  for (let run = 0; run < 4; run += 1) runs.push(await submit(250, { speed: 0 }, long));
  await expect.poll(() => redis.keys('sluice:activations:*'), { timeout: 60_000 }).not.toEqual([]);
  for (const run of runs) expect((await post(`/v1/runs/${run}/cancel`, {})).status).toBe(200);
  const other = await submit(20, { speed: 0 });
  await expect.poll(async () => (await view(other))['phase'], { timeout: 20_000 }).toBe('finished');
  await expect.poll(() => redis.keys('sluice:activations:*'), { timeout: 10_000 }).toEqual([]);
  await expect.poll(async () => [await jobKeys(), await runKeys()]).toEqual([[], []]);
  for (const worker of workers) {
    worker.kill('SIGTERM');
    await worker.ended;
  }
});

it('texts that nobody waits for are not labelled, and hold up nobody', async () => {
  const gone = new AbortController();
  const abandoned = Array.from({ length: MOST_WAITING }, (_, index) =>
    classify([`abandoned ${index}`, 'more', 'and more'], gone.signal),
  );
  await expect.poll(() => jobKeys('urgent-')).toHaveLength(MOST_WAITING);
  const refused = await classify(['one too many']);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  gone.abort();
  await Promise.allSettled(abandoned);

  const id = await submit(20);
  const worker = await fleet.worker();
  await expect.poll(async () => (await view(id))['phase'], { timeout: 20_000 }).toBe('finished');
  const answer = await classify(['is this spam?', 'win a prize']);
  expect(answer.status, await answer.text()).toBe(200);
  expect(await rowsAtFirstStage(worker)).toBe(22);
  expect(await (await fetch(`${worker.admin}/metrics`)).text()).toContain(
    `sluice_jobs_total{stage="1",outcome="dropped"} ${MOST_WAITING}\n`,
  );
  worker.kill('SIGTERM');
  await worker.ended;
});

it('streams of events keep nobody else waiting', async () => {
  const id = await submit(5);
  const gone = new AbortController();
  const stream = await fetch(`${producer.api}/v1/runs/${id}/events`, { signal: gone.signal });
  expect(stream.status).toBe(200);
  const second = await fetch(`${producer.api}/v1/runs/${id}/events`);
  expect([second.status, second.headers.get('retry-after')]).toEqual([503, '2']);
  expect((await fetch(`${producer.api}/v1/runs/${id}`)).status).toBe(200);
  gone.abort();
  await expect
    .poll(async () => {
      const again = new AbortController();
      const { status } = await fetch(`${producer.api}/v1/runs/${id}/events`, { signal: again.signal });
      again.abort();
      return status;
    })
    .toBe(200);
  await post(`/v1/runs/${id}/cancel`, {});
});

it('a run whose runtime is gone says so, and goes on where a worker has it', async () => {
  const elsewhere = await fleet.producer({ SLUICE_PRODUCER_FINGERPRINT: 'onnxruntime 0.1 of old' });
  producer.kill('SIGTERM');
  await producer.ended;
  producer = elsewhere;
  const id = await submit(5);
  await expect.poll(() => jobKeys(), { timeout: 10_000 }).toHaveLength(1);
  producer.kill('SIGKILL');
  await producer.ended;

  producer = await fleet.producer();
  await expect
    .poll(async () => (await view(id))['waitsFor'], { timeout: 30_000 })
    .toBe('No worker serves the model spam yet.');
  const worker = await fleet.worker();
  await expect
    .poll(async () => (await view(id))['waitsFor'], { timeout: 20_000 })
    .toMatch(
      /has labels of the runtime onnxruntime 0\.1 of old, and goes on with no other; .* Start a worker/,
    );
  worker.kill('SIGTERM');
  await worker.ended;
});

it('a run that stands still since a stage has no worker says so, until one comes', async () => {
  const first = await fleet.worker({ SLUICE_STAGES: '1' });
  const id = await submit(20, { speed: 0 });
  await expect
    .poll(async () => (await view(id))['waitsFor'], { timeout: 30_000 })
    .toBe('No worker serves stages 2, 3 of the model spam now; the run goes on when one does.');
  const deep = await fleet.worker({ SLUICE_STAGES: '2-3' });
  await expect.poll(async () => (await view(id))['phase'], { timeout: 20_000 }).toBe('finished');
  expect((await view(id))['waitsFor']).toBeUndefined();
  for (const worker of [first, deep]) {
    worker.kill('SIGTERM');
    await worker.ended;
  }
});

it('an admin server at loopback answers to no other name', async () => {
  expect(await statusFor('evil.example')).toBe(403);
  expect(await statusFor('localhost:9481')).toBe(200);
  expect(await statusFor('LOCALHOST.:9481')).toBe(200);
});
