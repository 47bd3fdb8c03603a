/** Texts labelled at once by models whose answer is several labels, or a number: they are what a run writes. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../run-cli.js';
import { ServiceFleet } from './service-fleet.js';

const fixtures = join(import.meta.dirname, '../fixtures/huggingface-families');
const texts = ['The red house', 'green and blue', 'a sky', 'one more text of colours'];

let folder: string;
let fleet: ServiceFleet;
let api: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-problems-'));
  await writeFile(join(folder, 'texts.jsonl'), texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  fleet = await ServiceFleet.start();
  ({ api } = await fleet.producer({ SLUICE_MODELS_ROOT: folder }));
});
afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
});

const sluice = async (...args: string[]): Promise<void> => {
  const env = { SLUICE_CACHE: join(folder, 'cache') };
  const { end, stderr } = await runCli(args, { cwd: folder, env });
  expect(end, stderr).toBe(0);
};

it.each([
  ['bert-multi-label', 'labels'],
  ['distilbert-regression', 'score'],
])('%s', async (model, field) => {
  await sluice('compile', join(fixtures, model), '--max-length', '24', '--out', model);
  await sluice('label', 'texts.jsonl', '--model', model, '--probabilities', '--out', `${model}.jsonl`);
  const rows = (await readFile(join(folder, `${model}.jsonl`), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));
  const worker = await fleet.worker({ SLUICE_WORKER_BUNDLE: join(folder, model) });
  const answer = await fetch(`${api}/v1/classify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, texts }),
  });
  const { results }: { results: Record<string, unknown>[] } = JSON.parse(await answer.text());
  expect(results.map((result, row) => ({ text: texts[row], ...result }))).toEqual(rows);
  expect(results[0]).toHaveProperty(field);
  worker.kill('SIGTERM');
  await worker.ended;
});
