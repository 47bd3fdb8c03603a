import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openModel } from '#model/import/open-model.js';
import { Random } from '../data/random.js';
import type { TrainableModel } from '../model/trainable-model.js';
import { readTrainable } from '../model/trainable-model.js';
import { AdamW } from '../optimiser/adamw.js';
import { TrainingStates } from './training-state.js';

let folder: string;
let states: TrainingStates;
let model: TrainableModel;
let optimiser: AdamW;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-states-'));
  const checkpoint = await openModel(join(import.meta.dirname, '../../../../test/fixtures/training'));
  model = await readTrainable(checkpoint, checkpoint.config, new Random(1));
  await checkpoint.close();
  optimiser = new AdamW(model.values, [...model.values.keys()]);
  states = new TrainingStates(folder, 'settings');
});
afterEach(() => rm(folder, { recursive: true }));

const names = async (): Promise<string[]> => (await readdir(folder)).sort();
const first = (): Float32Array => [...model.values.values()][0]!;

/** Keeps a checkpoint whose numbers tell the step. */
async function save(step: number): Promise<void> {
  optimiser.steps = step;
  first().fill(step);
  await states.save(model, optimiser, new Map(), { best: null });
}

/** The step and the numbers that another process finds. */
async function restored(): Promise<[number | undefined, number]> {
  first().fill(-1);
  const position = await new TrainingStates(folder, 'settings').restore(model, optimiser, new Map());
  return [position?.step, first()[0]!];
}

it('keeps the last two', async () => {
  for (const step of [1, 2, 3]) await save(step);
  expect(await names()).toEqual(['step-000000002', 'step-000000003']);
  expect(await restored()).toEqual([3, 3]);
});

it('goes on from the one before where the last is forgotten', async () => {
  for (const step of [1, 2]) await save(step);
  await states.remove(2);
  expect(await restored()).toEqual([1, 1]);
});

it.each([
  ['cut numbers', (last: string) => truncate(join(last, 'second.safetensors'), 100)],
  ['a missing file', (last: string) => rm(join(last, 'second.safetensors'))],
  ['an empty position', (last: string) => writeFile(join(last, 'position.json'), '')],
])('goes on from the one before where the last has %s', async (_, damage) => {
  for (const step of [1, 2]) await save(step);
  await damage(join(folder, 'step-000000002'));
  expect(await restored()).toEqual([1, 1]);
});

it('names the checkpoint where none can be read, and has changed nothing', async () => {
  await save(1);
  await truncate(join(folder, 'step-000000001/second.safetensors'), 100);
  await expect(restored()).rejects.toMatchObject({
    name: 'TrainingStateError',
    message: expect.stringMatching(/step-000000001 cannot be read: .*--force/),
  });
  expect(first()[0]).toBe(-1);
});

it('puts another in the place of a damaged one that it did not go on from', async () => {
  for (const step of [1, 2]) await save(step);
  await rm(join(folder, 'step-000000002/position.json'));
  states = new TrainingStates(folder, 'settings');
  await states.restore(model, optimiser, new Map());
  await save(2);
  expect(await restored()).toEqual([2, 2]);
});

it('leaves a checkpoint of the same step where it is', async () => {
  await save(1);
  await writeFile(join(folder, 'step-000000001/witness'), '');
  await save(1);
  expect(await readdir(join(folder, 'step-000000001'))).toContain('witness');
});

it('removes what a process that was killed was about to write', async () => {
  const partial = join(folder, 'step-000000001.partial-a1b2c3');
  await mkdir(partial);
  await save(2);
  expect(await names()).toEqual(['step-000000002']);
  await mkdir(partial);
  await writeFile(join(folder, 'training.jsonl'), '');
  await states.clear();
  expect(await names()).toEqual(['training.jsonl']);
});
