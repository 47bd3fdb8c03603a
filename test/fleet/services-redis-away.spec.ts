/** Workers while a Redis is away: they say so, and stop when they are told to. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { jsonLines } from '../mail-sample.js';
import { RedisServer } from './redis-server.js';
import type { Producer } from './service-fleet.js';
import { ServiceFleet } from './service-fleet.js';

let fleet: ServiceFleet;
let producer: Producer;
let activations: RedisServer;

beforeAll(async () => {
  fleet = await ServiceFleet.start();
  activations = await RedisServer.start();
  producer = await fleet.producer();
});
afterAll(async () => {
  await fleet.stop();
  await activations.stop();
});

const first = (env: Readonly<Record<string, string>> = {}): ReturnType<ServiceFleet['worker']> =>
  fleet.worker({ SLUICE_STAGES: '1', SLUICE_REDIS_ACTIVATIONS_URL: activations.url, ...env });

async function metricsOf(service: { readonly admin: string }): Promise<string> {
  return (await fetch(`${service.admin}/metrics`)).text();
}

it('the Redis of the activations is told of by those who need it', async () => {
  const worker = await first();
  const whole = await fleet.worker({ SLUICE_REDIS_ACTIVATIONS_URL: activations.url });
  const ready = async (): Promise<number> => (await fetch(`${worker.admin}/health/ready`)).status;
  expect(await ready()).toBe(200);
  await activations.kill();
  await expect.poll(ready, { timeout: 10_000 }).toBe(503);
  expect(await metricsOf(worker)).toContain('sluice_redis_up{redis="activations"} 0\n');
  expect((await fetch(`${whole.admin}/health/ready`)).status).toBe(200);
  expect(await metricsOf(whole)).not.toContain('sluice_redis_up{');
  await activations.restart();
  await expect.poll(ready, { timeout: 10_000 }).toBe(200);
  expect(await metricsOf(worker)).toContain('sluice_redis_up{redis="activations"} 1\n');
  for (const each of [worker, whole]) {
    each.kill('SIGTERM');
    expect(await each.ended).toBe('SIGTERM');
  }
});

it('a worker whose activations go nowhere gives its jobs back when it stops', async () => {
  const worker = await first({ SLUICE_WORKER_DRAIN_SECONDS: '2', SLUICE_WORKER_LOCK_SECONDS: '600' });
  await activations.kill();
  const form = new FormData();
  form.set('options', JSON.stringify({ model: 'spam', speed: 0 }));
  const rows = Array.from({ length: 10 }, (_, row) => ({ text: `text ${row}` }));
  form.append('file', new Blob([jsonLines(rows)]), 'texts.jsonl');
  const submitted = await fetch(`${producer.api}/v1/runs`, { method: 'POST', body: form });
  const { id }: { id: string } = JSON.parse(await submitted.text());
  await expect
    .poll(() => metricsOf(worker), { timeout: 20_000 })
    .toMatch(/^sluice_stage_rows_sum\{stage="1"\} 10$/m);
  expect(await metricsOf(worker)).toContain('sluice_jobs_active 1\n');
  worker.kill('SIGTERM');
  expect(await worker.ended).toBe('SIGTERM');
  // At once, not when a lock of ten minutes ends.
  await fleet.worker();
  await expect
    .poll(async () => (await (await fetch(`${producer.api}/v1/runs/${id}`)).text()).includes('"finished"'), {
      timeout: 20_000,
    })
    .toBe(true);
});

it('an idle worker stops without the Redis of the queue', async () => {
  const worker = await fleet.worker();
  await fleet.redis.kill();
  worker.kill('SIGTERM');
  expect(await worker.ended).toBe('SIGTERM');
});
