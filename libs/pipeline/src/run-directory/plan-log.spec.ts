import { appendFile, mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { afterEach, beforeEach, expect, it } from 'vitest';

import type { PlannedChunk } from '../ports.js';
import { PlanLog } from './plan-log.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-plan-'));
  path = join(folder, 'plan.jsonl');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function planned(chunk: number): PlannedChunk {
  const sha256 = String(chunk).repeat(64);
  return {
    chunk,
    firstRow: chunk * 10 + 1,
    rows: 10,
    range: { file: 0, start: chunk * 99, end: 99, sha256 },
  };
}

async function writePlan(chunks: number, sealed: boolean): Promise<string> {
  const plan = await PlanLog.open(path);
  for (let chunk = 0; chunk < chunks; chunk += 1) await plan.append(planned(chunk));
  await plan.sync(chunks - 1);
  if (sealed) await plan.seal();
  await plan.close();
  return plan.corpusHash;
}

async function reopened(): Promise<{ chunks: PlannedChunk[]; sealed: boolean; last?: number; hash: string }> {
  const plan = await PlanLog.open(path);
  const chunks: PlannedChunk[] = await Readable.from(plan.planned()).toArray();
  await plan.close();
  expect(plan.chunks).toBe(chunks.length);
  expect(plan.last).toEqual(chunks.at(-1));
  return { chunks, sealed: plan.sealed, hash: plan.corpusHash };
}

it('reads back its chunks, its seal and the corpus hash', async () => {
  const hash = await writePlan(3, true);
  expect(await reopened()).toEqual({ chunks: [0, 1, 2].map(planned), sealed: true, hash });
});

it('cuts off a torn last line and goes on from there', async () => {
  await writePlan(3, false);
  await truncate(path, (await readFile(path)).length - 1);
  const plan = await PlanLog.open(path);
  expect(plan.last?.chunk).toBe(1);
  await plan.append(planned(2));
  await plan.close();
  expect((await reopened()).chunks).toHaveLength(3);
});

it('cuts off all behind damage, the seal too', async () => {
  await writePlan(3, true);
  const lines = (await readFile(path, 'utf8')).split('\n');
  await rm(path);
  await appendFile(path, [lines[0], lines[2], lines[3], ''].join('\n'));
  expect(await reopened()).toMatchObject({ chunks: [planned(0)], sealed: false });
});

it('refuses a chunk out of order, and any chunk behind the seal', async () => {
  const plan = await PlanLog.open(path);
  await expect(plan.append(planned(1))).rejects.toThrow('does not follow');
  await plan.append(planned(0));
  await plan.seal();
  await expect(plan.append(planned(1))).rejects.toThrow('does not follow');
  await plan.close();
});

it('shares one fsync among those that wait together', async () => {
  const plan = await PlanLog.open(path);
  for (let chunk = 0; chunk < 4; chunk += 1) await plan.append(planned(chunk));
  await Promise.all([0, 1, 2, 3].map((chunk) => plan.sync(chunk)));
  await plan.close();
  expect((await reopened()).chunks).toHaveLength(4);
});
