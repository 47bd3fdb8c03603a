/** Rows behind the first stage wait for full batches as long as more may come, and not longer. */
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

// With a wait at each of two stages, it would take two minutes.
it('a small run does not wait for rows that nobody has', { timeout: 60_000 }, async () => {
  const producer = await fleet.producer();
  await Promise.all(
    ['1', '2', '3'].map((stage) => fleet.worker({ SLUICE_STAGES: stage, SLUICE_WORKER_WAIT_MS: '60000' })),
  );
  const texts = ['you have won a prize', 'the meeting is at ten', 'click here'];
  const lines = Array.from({ length: 120 }, (_, row) => `{"text":"${texts[row % 3]} ${row}"}\n`);
  await writeFile(join(fleet.folder, 'mails.jsonl'), lines.join(''));
  // At full depth every row enters every stage.
  const { end, stdout, stderr } = await runCli(
    ['submit', 'mails.jsonl', '--model', 'spam', '--speed', '0', '--watch', '--json'],
    { cwd: fleet.folder, env: { SLUICE_SERVER: producer.api } },
  );
  expect(end, stderr).toBe(0);
  expect(JSON.parse(stdout).report).toMatchObject({ rows: 120, accepted: 120 });
});
