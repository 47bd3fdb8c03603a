import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadSettings } from '#config/load-settings.js';
import { Metrics } from '#metrics/metrics.js';
import { ModelRegistry } from '#model/registry/model-registry.js';
import type { SubmittedTraining } from '#training/job/training-folders.js';
import { TrainingFolders } from '#training/job/training-folders.js';
import { trainingRequestSchema } from '#training/job/training-steps.js';
import { TrainingRunner } from './training-runner.js';

let folder: string;
let folders: TrainingFolders;
let training: SubmittedTraining;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-runner-'));
  folders = new TrainingFolders(join(folder, 'trainings'));
  await folders.open();
  const steps = [{ kind: 'train', base: '/letters', data: '/train.jsonl' }];
  const id = folders.newId();
  const request = trainingRequestSchema.parse({ name: 'letters', steps });
  training = { id, owner: 'me', createdAt: new Date().toISOString(), request };
  await folders.submit(training);
  // What a trainer made that could not say so any more: the step is done as soon as it is begun.
  await mkdir(folders.outPath(training, 0));
});
afterEach(() => rm(folder, { recursive: true }));

const run = (): Promise<'over' | 'again'> =>
  new TrainingRunner({
    folders,
    models: new ModelRegistry(join(folder, 'models')),
    settings: loadSettings().trainer,
    metrics: new Metrics([]),
    log: { log: () => undefined, warn: () => undefined },
  }).run(training.id, new AbortController().signal);

it('finishes what is made', async () => {
  expect(await run()).toBe('over');
  expect(await folders.state(training.id)).toMatchObject({ phase: 'finished' });
  expect(await folders.result(training.id, 0)).toBeDefined();
});

it('writes neither result nor record of a step once another trainer has the training', async () => {
  vi.spyOn(folders, 'record').mockImplementationOnce(async (id) => {
    await folders.take(id, 'another');
    return { notes: ['mine'] };
  });
  expect(await run()).toBe('over');
  expect(await folders.result(training.id, 0)).toBeUndefined();
  expect(await folders.record(training.id, 0)).toEqual({ notes: [] });
  expect((await folders.state(training.id)).phase).toBe('running');
});
