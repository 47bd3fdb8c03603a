/** Rows of the same tokens are computed once by a worker, and nobody can tell from the output. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunView } from '#run/run-view.js';
import { jsonLines, mailSample } from '../mail-sample.js';
import { runCli, spamBundle } from '../run-cli.js';
import { ServiceFleet } from './service-fleet.js';

const ROWS = 100;
const TIMES = 6;
let fleet: ServiceFleet;
beforeAll(async () => {
  fleet = await ServiceFleet.start();
});
afterAll(() => fleet.stop());

it('workers of a stage each answer repeated rows from what they remember', async () => {
  const input = join(fleet.folder, 'input');
  await mkdir(input);
  const corpus = join(input, 'mails.jsonl');
  await writeFile(corpus, jsonLines(await mailSample(ROWS, 160)).repeat(TIMES));
  const [producer, ...workers] = await Promise.all([
    // A chunk at a time, so that each finds what those before it left.
    fleet.producer({
      SLUICE_PRODUCER_INPUT_ROOT: input,
      SLUICE_PRODUCER_FEED_CHUNK_ROWS: String(ROWS),
      SLUICE_PRODUCER_FEED_CHUNKS_IN_FLIGHT: '1',
    }),
    fleet.worker({ SLUICE_STAGES: '1' }),
    fleet.worker({ SLUICE_STAGES: '2-3', SLUICE_WORKER_WAIT_MS: '0' }),
  ]);
  const submission = ['submit', corpus, '--model', 'spam', '--speed', '0.03', '--probabilities'];
  const env = { SLUICE_SERVER: producer.api };
  const { end, stdout, stderr } = await runCli([...submission, '--watch', '--json'], { env });
  expect(end, stderr).toBe(0);
  const { id }: RunView = JSON.parse(stdout);
  const output = await (await fetch(`${producer.api}/v1/runs/${id}/output`)).text();

  const alone = join(fleet.folder, 'alone.jsonl');
  const args = ['label', corpus, '--model', spamBundle, '--speed', '0.03', '--probabilities', '--no-dedupe'];
  expect((await runCli([...args, '--out', alone])).end).toBe(0);
  expect(output).toBe(await readFile(alone, 'utf8'));

  const [first, deep] = await Promise.all(workers.map(({ admin }) => countsOf(admin)));
  expect(first!.repeated + first!.ran).toBe(ROWS * TIMES);
  const survivors = deep!.repeated + deep!.ran;
  expect(survivors).toBeGreaterThan(0);
  // What leaves is computed once; what goes on is run again, and answered behind the next stage's memory.
  expect(first!.ran).toBeLessThanOrEqual(ROWS + survivors);
  expect(deep!.ran).toBeLessThanOrEqual(survivors / TIMES);
});

/** Rows that entered the stages of a worker, by whether they were run. */
async function countsOf(admin: string): Promise<{ ran: number; repeated: number }> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const sumOf = (line: RegExp): number => Number(line.exec(text)?.[1] ?? 0);
  const stage = /^sluice_rows_repeated_total\{stage="(\d)"\}/m.exec(text)?.[1];
  return {
    ran: sumOf(new RegExp(`^sluice_stage_rows_sum\\{stage="${stage}"\\} (\\d+)`, 'm')),
    repeated: sumOf(new RegExp(`^sluice_rows_repeated_total\\{stage="${stage}"\\} (\\d+)`, 'm')),
  };
}
