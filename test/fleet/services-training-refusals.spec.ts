/** What a producer refuses of trainings and versions, before any trainer is there. */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelRegistry } from '#model/registry/model-registry.js';
import { TrainingFolders } from '#training/job/training-folders.js';
import type { TrainingView } from '#training/job/training-view.js';
import { spamBundle } from '../run-cli.js';
import type { Producer } from './service-fleet.js';
import { ServiceFleet } from './service-fleet.js';

let fleet: ServiceFleet;
let producer: Producer;
let folders: TrainingFolders;
let registry: ModelRegistry;

beforeAll(async () => {
  fleet = await ServiceFleet.start();
  registry = new ModelRegistry(join(fleet.folder, 'models'));
  folders = new TrainingFolders(join(fleet.folder, 'trainings'));
  const inputs = join(fleet.folder, 'inputs');
  // Deeper than a name may be long.
  const checkpoints = join(fleet.folder, ...Array.from({ length: 30 }, () => 'checkpoints'));
  for (const folder of [registry.root, inputs, checkpoints]) await mkdir(folder, { recursive: true });
  await cp(join(import.meta.dirname, '../fixtures/training'), join(checkpoints, 'letters'), {
    recursive: true,
  });
  await writeFile(join(inputs, 'train.jsonl'), '{"text":"a","label":"early"}\n');
  producer = await fleet.producer({
    SLUICE_MODELS_ROOT: registry.root,
    SLUICE_TRAINING_CHECKPOINTS: checkpoints,
    SLUICE_PRODUCER_INPUT_ROOT: inputs,
  });
});
afterAll(() => fleet.stop());

/** Status and body of an answer. */
async function ask(method: string, path: string, body?: object): Promise<[number, string]> {
  const answer = await fetch(producer.api + path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return [answer.status, await answer.text()];
}

const training = (base: string, name = 'letters'): object => ({
  name,
  steps: [{ kind: 'train', base, data: 'train.jsonl' }],
});

async function submitted(base: string): Promise<string> {
  const [status, text] = await ask('POST', '/v1/training', training(base));
  expect(status, text).toBe(201);
  const { id }: TrainingView = JSON.parse(text);
  return id;
}

it.each(['n'.repeat(250), '汉'.repeat(100)])('a name that files cannot have is refused: %s', async (name) => {
  expect(await ask('POST', '/v1/training', training('letters', name))).toEqual([
    400,
    expect.stringContaining('no more than 200 bytes'),
  ]);
});

it('a training is not deleted while another one begins with what it made', async () => {
  const base = await submitted('letters');
  await folders.setResult(base, 0, { seconds: 1 });
  await folders.setState(base, { phase: 'finished' });
  const user = await submitted(base);
  expect(await ask('DELETE', `/v1/training/${base}`)).toEqual([
    409,
    expect.stringContaining(`is the base of training ${user}, which is under way`),
  ]);
  expect((await ask('POST', `/v1/training/${user}/cancel`))[0]).toBe(200);
  expect((await ask('DELETE', `/v1/training/${base}`))[0]).toBe(204);
});

describe('versions', () => {
  beforeAll(async () => {
    for (let version = 1; version <= 2; version += 1) await registry.add('spam', spamBundle);
    await registry.promote('spam', 2);
  });

  it('one that is damaged is not rolled back to', async () => {
    const manifest = join(registry.root, 'spam/v1/bundle.json');
    const text = await readFile(manifest, 'utf8');
    await writeFile(manifest, text.slice(0, 100));
    expect(await ask('POST', '/v1/models/spam/roll-back')).toEqual([
      409,
      expect.stringContaining('Version 1 of spam cannot be used'),
    ]);
    expect((await registry.version('spam')).version).toBe(2);
    await writeFile(manifest, text);
    expect(await ask('POST', '/v1/models/spam/roll-back')).toEqual([
      200,
      expect.stringContaining('"version":1'),
    ]);
  });

  it('promotions that cannot be read are told of', async () => {
    const file = join(registry.root, 'spam/promoted.json');
    await writeFile(file, '{"promoted":[');
    for (const [method, path, body] of [
      ['GET', '/v1/models/spam', undefined],
      ['POST', '/v1/models/spam/promote', { version: 2 }],
      ['POST', '/v1/runs', { model: 'spam', rows: [{ text: 'a' }] }],
    ] as const) {
      expect(await ask(method, path, body)).toEqual([
        409,
        expect.stringContaining('promoted.json of the model spam cannot be read (it is damaged)'),
      ]);
    }
    await rm(file);
    expect((await ask('GET', '/v1/models/spam'))[0]).toBe(200);
  });
});
