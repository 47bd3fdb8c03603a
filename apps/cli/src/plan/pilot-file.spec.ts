import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PilotFileError, readPilot } from './pilot-file.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-pilot-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** @returns its path */
async function written(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const exits = [
  { layer: 0, rows: 60, share: 0.6 },
  { layer: 2, rows: 40, share: 0.4 },
];
const report = { run: 'r', bundle: 'abc', rows: 101, accepted: 100, tokens: 5300, exits, meanLayers: 0.8 };

it("takes the counts of a run's report, and its policy where the whole directory is there", async () => {
  await mkdir(join(folder, 'run'));
  const path = await written('run/report.json', report);
  const counts = exits.map(({ layer, rows }) => ({ layer, rows }));
  const expected = { kind: 'counts', bundle: 'abc', pilot: { rows: 100, tokensPerRow: 53, exits: counts } };
  expect(await readPilot(path)).toMatchObject({ ...expected, policy: undefined });
  expect(await readPilot(join(folder, 'run'))).toMatchObject({ ...expected, policy: undefined });
  await written('run/run.json', { id: 'r', policy: { 0: 0.1, 2: 0 } });
  expect(await readPilot(join(folder, 'run'))).toMatchObject({ ...expected, policy: { 0: 0.1, 2: 0 } });
});

it('takes anything else for a corpus', async () => {
  expect(await readPilot(await written('rows.jsonl', '{"text": "a"}\n'))).toEqual({ kind: 'corpus' });
  expect(await readPilot(join(folder, '*.csv'))).toEqual({ kind: 'corpus' });
  expect(await readPilot('-')).toEqual({ kind: 'corpus' });
});

it.each([
  ['broken.json', '{', /broken\.json cannot be read as JSON/],
  ['other.json', { ...report, exits: undefined }, /no report of a run that labelled rows: exits/],
  ['empty.json', { ...report, accepted: 0 }, /no report of a run that labelled rows: accepted/],
  ['newer.json', { format: 'sluice-pilot-2' }, /no pilot of this version: format/],
])('refuses %s by its name', async (name, content, message) => {
  const path = await written(name, content);
  await expect(readPilot(path)).rejects.toThrow(message);
  await expect(readPilot(path)).rejects.toThrow(PilotFileError);
});

it('refuses the directory of a run that is not finished', async () => {
  await mkdir(join(folder, 'open-run'));
  await expect(readPilot(join(folder, 'open-run'))).rejects.toThrow(/report\.json cannot be read/);
});
