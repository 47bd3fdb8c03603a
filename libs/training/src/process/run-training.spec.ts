import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fineTuneRequest } from '../job/step-request.js';
import { fineTuneStep } from '../job/training-steps.js';
import { runTraining } from './run-training.js';
import type { FineTuneRequest } from './training-request.js';

const base = join(import.meta.dirname, '../../../../test/fixtures/training');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-run-training-'));
});
afterAll(() => rm(folder, { recursive: true }));

function request(name: string): FineTuneRequest {
  const data = join(folder, 'none.jsonl');
  const step = fineTuneStep.parse({ kind: 'train', base, data, backend: 'cpu' });
  return fineTuneRequest(step, {
    base,
    out: join(folder, name),
    force: false,
    data,
    dev: undefined,
    tool: 'test',
  });
}

it('tells of an error though it is told to stop', async () => {
  await writeFile(join(folder, 'blocked.training'), '');
  const running = runTraining(request('blocked'), { signal: AbortSignal.abort(), onNews: () => undefined });
  await expect(running).rejects.toMatchObject({ code: 'EEXIST' });
});

it('leaves nothing where its corpus cannot be read', async () => {
  await expect(runTraining(request('unread'), { onNews: () => undefined })).rejects.toThrow('none.jsonl');
  expect(await readdir(folder)).not.toContain('unread.training');
});
