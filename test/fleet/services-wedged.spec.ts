/** A worker whose work stands still while its event loop goes on: its activations' Redis takes commands, and answers none. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCli } from '../run-cli.js';
import { RedisServer } from './redis-server.js';
import { ServiceFleet } from './service-fleet.js';

let fleet: ServiceFleet;
let activations: RedisServer;
beforeEach(async () => {
  [fleet, activations] = await Promise.all([ServiceFleet.start(), RedisServer.start()]);
});
afterEach(async () => {
  await fleet.stop();
  await activations.stop();
});

const health = async (admin: string, what: string): Promise<[number, string]> => {
  const answer = await fetch(`${admin}/health/${what}`);
  return [answer.status, await answer.text()];
};

const stuckSeconds = async (admin: string): Promise<number> => {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return Number(/^sluice_worker_stuck_seconds (\S+)$/m.exec(text)?.[1]);
};

it('is reported as wedged, gets no work, and is well again when the work goes on', async () => {
  const common = { SLUICE_REDIS_ACTIVATIONS_URL: activations.url };
  const producer = await fleet.producer(common);
  const wedged = { ...common, SLUICE_WORKER_WEDGED_SECONDS: '2' };
  const first = await fleet.worker({ ...wedged, SLUICE_STAGES: '1' });
  const deeper = await fleet.worker({ ...wedged, SLUICE_STAGES: '2-3' });
  activations.pause();

  await writeFile(join(fleet.folder, 'mails.jsonl'), '{"text":"you have won a prize"}\n'.repeat(100));
  const env = { SLUICE_SERVER: producer.api };
  const submit = ['submit', 'mails.jsonl', '--model', 'spam', '--speed', '0', '--watch', '--json'];
  const run = runCli(submit, { cwd: fleet.folder, env });
  const stands = [
    503,
    expect.stringMatching(/wedged: it has 1 jobs, and none went on for (?:[2-9]|\d\d+) s/),
  ];
  await expect.poll(() => health(first.admin, 'live'), { timeout: 20_000 }).toEqual(stands);
  expect(await health(first.admin, 'ready')).toEqual(stands);
  expect(await stuckSeconds(first.admin)).toBeGreaterThan(2);
  // It has no job, so nothing of it stands still.
  expect(await health(deeper.admin, 'live')).toEqual([200, '{"status":"ok"}']);
  expect(await stuckSeconds(deeper.admin)).toBe(0);

  activations.goOn();
  const { end, stdout, stderr } = await run;
  expect(end, stderr).toBe(0);
  expect(JSON.parse(stdout).report).toMatchObject({ rows: 100, accepted: 100 });
  expect(await health(first.admin, 'live')).toEqual([200, '{"status":"ok"}']);
});
