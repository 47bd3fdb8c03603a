/** A fleet whose stages have idled to no workers at all: what waits wakes them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCli } from '../run-cli.js';
import { ServiceFleet } from './service-fleet.js';

let fleet: ServiceFleet;
beforeEach(async () => {
  fleet = await ServiceFleet.start();
});
afterEach(() => fleet.stop());

it('tells of work for its first stage as soon as a run waits, and of none once the run is done', async () => {
  const producer = await fleet.producer();
  const backlog = async (stage: number): Promise<number> => {
    const text = await (await fetch(`${producer.admin}/metrics`)).text();
    const found = new RegExp(`^sluice_backlog_seconds\\{model="spam",stage="${stage}"\\} (\\S+)$`, 'm').exec(
      text,
    );
    return Number(found?.[1]);
  };
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
