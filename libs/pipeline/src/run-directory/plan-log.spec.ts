import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import * as fc from 'fast-check';
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

const sha256 = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));

/** Plans of any chunks, one behind the other. */
const plans = fc
  .array(fc.record({ rows: fc.integer({ min: 1, max: 2000 }), bytes: fc.nat(2 ** 40), sha256 }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((sizes) => {
    let firstRow = 1;
    let start = 0;
    return sizes.map(({ rows, bytes, sha256 }, chunk): PlannedChunk => {
      const range = { file: 0, start, end: start + bytes, sha256 };
      const line = { chunk, firstRow, rows, range };
      firstRow += rows;
      start += bytes;
      return line;
    });
  });

const wounds = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bit: fc.integer({ min: 0, max: 7 }) }),
  fc.record({ kind: fc.constant('zeros' as const), at: fc.nat() }),
);

it('whatever broke it, is what was planned up to some chunk, and goes on to the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(plans, fc.boolean(), wounds, async (chunks, sealed, wound) => {
      await rm(path, { force: true });
      const append = async (from: number, seal: boolean): Promise<void> => {
        const plan = await PlanLog.open(path);
        for (const chunk of chunks.slice(from)) await plan.append(chunk);
        if (seal && !plan.sealed) await plan.seal();
        await plan.close();
      };
      await append(0, sealed);
      const whole = await readFile(path);
      const at = wound.at % whole.length;
      if (wound.kind === 'cut') await truncate(path, at);
      else {
        // What a file system may leave of the end of a file when the power goes.
        const broken = wound.kind === 'zeros' ? Buffer.from(whole).fill(0, at) : Buffer.from(whole);
        if (wound.kind === 'flip') broken[at]! ^= 1 << wound.bit;
        await writeFile(path, broken);
      }
      const found = await reopened();
      expect(found.chunks).toEqual(chunks.slice(0, found.chunks.length));
      // No line before the one that was hit is lost.
      const linesBefore = whole.subarray(0, at).toString('latin1').split('\n').length - 1;
      expect(found.chunks.length).toBeGreaterThanOrEqual(Math.min(linesBefore, chunks.length));
      if (found.sealed) expect(found.chunks).toHaveLength(chunks.length);
      await append(found.chunks.length, sealed);
      expect(await readFile(path)).toEqual(whole);
    }),
    { numRuns: 100 },
  );
});
