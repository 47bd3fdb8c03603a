/** A fleet whose stages have idled to no workers at all: what waits wakes them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCli } from '../run-cli.js';
import type { Producer } from './service-fleet.js';
import { ServiceFleet } from './service-fleet.js';

let fleet: ServiceFleet;
beforeEach(async () => {
  fleet = await ServiceFleet.start();
});
afterEach(() => fleet.stop());

const backlogOf = async (producer: Producer, stage: number): Promise<number> => {
  const text = await (await fetch(`${producer.admin}/metrics`)).text();
  const line = new RegExp(`^sluice_backlog_seconds\\{model="spam",stage="${stage}"\\} (\\S+)$`, 'm');
  return Number(line.exec(text)?.[1]);
};

it('tells of work for its first stage when somebody asks for a label, who is told to come again', async () => {
  const producer = await fleet.producer();
  const classify = (): Promise<Response> =>
    fetch(`${producer.api}/v1/classify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'spam', texts: ['you have won a prize'] }),
    });
  await expect.poll(() => backlogOf(producer, 1), { timeout: 20_000 }).toBe(0);
  const refused = await classify();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await refused.json()).toMatchObject({ error: { code: 'no-workers' } });
  await expect.poll(() => backlogOf(producer, 1), { timeout: 20_000 }).toBeGreaterThan(0);
  expect(await backlogOf(producer, 2)).toBe(0);
  await fleet.worker();
  await expect.poll(async () => (await classify()).status, { timeout: 20_000 }).toBe(200);
  await expect.poll(() => backlogOf(producer, 1), { timeout: 20_000 }).toBe(0);
});

it('tells of work for its first stage as soon as a run waits, and of none once the run is done', async () => {
  const producer = await fleet.producer();
  const backlog = (stage: number): Promise<number> => backlogOf(producer, stage);
  await expect.poll(() => backlog(1), { timeout: 20_000 }).toBe(0);
  await writeFile(join(fleet.folder, 'mails.jsonl'), '{"text":"you have won a prize"}\n'.repeat(100));
  const env = { SLUICE_SERVER: producer.api };
  const run = runCli(['submit', 'mails.jsonl', '--model', 'spam', '--watch', '--json'], {
    cwd: fleet.folder,
    env,
  });

  await expect.poll(() => backlog(1), { timeout: 20_000 }).toBeGreaterThan(0);
  expect(await backlog(2)).toBe(0);

  await fleet.worker();
  const { end, stdout, stderr } = await run;
  expect(end, stderr).toBe(0);
  expect(JSON.parse(stdout).report).toMatchObject({ rows: 100, accepted: 100 });
  await expect.poll(() => backlog(1), { timeout: 20_000 }).toBe(0);
});
