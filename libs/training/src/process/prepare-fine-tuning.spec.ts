import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openModel } from '#model/import/open-model.js';
import { fineTuneRequest } from '../job/step-request.js';
import { fineTuneStep } from '../job/training-steps.js';
import { prepareFineTuning } from './prepare-fine-tuning.js';

const base = join(import.meta.dirname, '../../../../test/fixtures/training');

it('tells that a head goes on with labels of other names', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-fine-'));
  const checkpoint = await openModel(base);
  const labels = checkpoint.config.labels.map((_, index) => `kind-${index}`);
  const data = join(folder, 'data.jsonl');
  const rows = labels.map((label) => JSON.stringify({ text_a: 'a', text_b: 'b', label }));
  await writeFile(data, `${rows.join('\n')}\n`);
  const step = fineTuneStep.parse({ kind: 'train', base, data, labels });
  const places = { base, out: join(folder, 'out'), force: false, data, dev: undefined, tool: 'test' };
  const notes: string[] = [];
  const prepared = await prepareFineTuning(fineTuneRequest(step, places), checkpoint, (note) =>
    notes.push(note),
  );
  await prepared.close();
  prepared.model.dispose();
  await checkpoint.close();
  await rm(folder, { recursive: true });
  const told = `${labels.join(', ')} in place of ${checkpoint.config.labels.join(', ')}.`;
  expect(notes).toContain(`The head goes on with other labels: ${told}`);
});
