import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openModel } from '#model/import/open-model.js';
import { chooseBackend } from '../backend/choose-backend.js';
import { distilRequest } from '../job/step-request.js';
import { distilStep } from '../job/training-steps.js';
import { prepareDistillation } from './prepare-distillation.js';
import { workFolder } from './training-work.js';

const base = join(import.meta.dirname, '../../../../test/fixtures/training');
const ROWS = 20;
/** Three layers of 16 numbers, of rows of 5 tokens. */
const STATE_BYTES = ROWS * 5 * 3 * 16 * 4;

let folder: string;
beforeAll(async () => {
  await chooseBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'sluice-distil-'));
  await mkdir(workFolder(join(folder, 'out')));
});
afterAll(() => rm(folder, { recursive: true }));

it('keeps no more hidden states of both corpora together than the cache may have; texts need no labels', async () => {
  const pair = { text_a: 'a', text_b: 'b' };
  const [data, dev] = [join(folder, 'data.jsonl'), join(folder, 'dev.jsonl')];
  await writeFile(data, `${JSON.stringify(pair)}\n`.repeat(ROWS));
  await writeFile(dev, `${JSON.stringify({ ...pair, label: '1' })}\n`.repeat(ROWS));
  const cacheSize = (1.5 * STATE_BYTES) / 2 ** 30;
  const step = distilStep.parse({ kind: 'distil', base, data, dev, labelField: 'label', cacheSize });
  const places = { base, out: join(folder, 'out'), force: false, data, dev, tool: 'test' };
  const checkpoint = await openModel(base);
  const notes: string[] = [];
  const kept: string[] = [];
  const prepared = await prepareDistillation(
    distilRequest(step, places),
    checkpoint,
    { onNews: (news) => news.kind === 'preparing' && kept.push(news.what) },
    (note) => notes.push(note),
  );
  await prepared.close();
  prepared.model.dispose();
  await checkpoint.close();
  expect([...new Set(kept)]).toEqual([expect.stringContaining('hidden states of texts')]);
  expect(notes).toContainEqual(expect.stringContaining('Hidden states of dev would take 0.0 MiB'));
  expect([prepared.rows.golds, prepared.dev!.golds!.length]).toEqual([undefined, ROWS]);
});
