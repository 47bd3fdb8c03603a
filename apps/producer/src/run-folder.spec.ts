import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RunFolders } from './run-folder.js';

let root: string;
let folders: RunFolders;
let id: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-runs-'));
  folders = new RunFolders(root);
  id = folders.newId();
  await folders.create(id);
  await folders.setState(id, 'waiting');
});
afterAll(() => rm(root, { recursive: true, force: true }));

const phase = async (): Promise<string> => (await folders.state(id)).phase;

it('a run that is cancelled stays so, whoever is about to begin with it', async () => {
  await folders.setState(id, 'cancelled');
  await folders.setState(id, 'running');
  expect(await phase()).toBe('cancelled');
});

it('until it is resumed', async () => {
  await folders.setState(id, 'waiting');
  expect(await phase()).toBe('waiting');
  await folders.setState(id, 'running');
  expect(await phase()).toBe('running');
});

it('one that came to its end before is over', async () => {
  await folders.setState(id, 'cancelled');
  await folders.setState(id, 'finished');
  expect(await phase()).toBe('finished');
});
