/** The bench itself, on a tiny model: it must not rot, and must fail where a label is wrong. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CheckpointShape } from '../random-checkpoint.js';
import { checkpointShape, randomNumbers, randomText, writeRandomCheckpoint } from '../random-checkpoint.js';
import type { BenchConfiguration } from './configuration.js';
import type { BenchResult } from './result-file.js';
import type { BenchSummary } from './summary.js';

const rows = 60;
const main = join(import.meta.dirname, '../../dist/test/bench/main.js');
let scratch: string;

/** Of two classes, between which int8 decides as float32 does. */
const tiny = (seed: number): CheckpointShape => checkpointShape({ seed, classes: 2 });

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  await writeRandomCheckpoint(join(scratch, 'tiny'), tiny(1));
  const random = randomNumbers(3);
  const lines = Array.from({ length: 2 * rows }, (_, row) =>
    JSON.stringify({ text: randomText(random, 4 + (row % 20)), label: `class-${row % 2}` }),
  );
  await writeFile(join(scratch, 'corpus.jsonl'), `${lines.join('\n')}\n`);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function bench(...args: string[]): Promise<{ code: unknown; stderr: string; stdout: string }> {
  const fixed = ['--checkpoint', 'tiny', '--corpus', 'corpus.jsonl', '--rows', `${rows}`, '--cache', 'cache'];
  const child = spawn(process.execPath, [main, ...fixed, '--out', 'result.json', ...args], { cwd: scratch });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}

async function result(): Promise<BenchResult<BenchConfiguration, BenchSummary>> {
  return JSON.parse(await readFile(join(scratch, 'result.json'), 'utf8'));
}

it('measures each variant in each round, in alternating order, and keeps every sample', async () => {
  const names = ['roof-int8', 'full-fp32', 'full-int8', 'early-from-0', 'label-early'];
  const { code, stderr, stdout } = await bench('--rounds', '2', '--speed', '0.9', '--only', names.join(','));
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('result.json') });
  const { samples, summary, configuration } = await result();
  expect(samples.map(({ variant }) => variant)).toEqual([...names, ...names.toReversed()]);
  for (const [order, sample] of samples.entries()) {
    expect(sample).toMatchObject({ rows, order });
    for (const value of [
      sample.wallSeconds,
      sample.cpuSeconds,
      sample.process.cpuSeconds,
      sample.peakBytes,
    ]) {
      expect(value).toBeGreaterThan(0);
    }
  }
  expect(summary.ratios.map(({ name }) => name)).toEqual([
    'int8 over fp32, full depth',
    'int8 full depth, share of its roof',
  ]);
  expect(summary.earlyExit).toMatchObject([{ variant: 'early-from-0' }]);
  expect(summary.earlyExit[0]?.algorithmic).toBeGreaterThan(1.5);
  expect(summary.checks).toHaveLength(2);
  expect(configuration.corpus).toMatchObject({ rows, lengths: { least: 4, most: 22 } });
  expect(stdout).toContain('R ÷ A');
});

it('measures phases and memory, and writes tables and plots', async () => {
  const only = ['--rounds', '1', '--only', 'roof-fp32,roof-int8-bytes,early-from-1,label-early,phases'];
  const more = ['--memory', '--memory-rows', '200', '--markdown', 'view/bench.md', '--json'];
  const { code, stderr, stdout } = await bench(...only, ...more);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('result.json') });
  const written = await result();
  expect(JSON.parse(stdout)).toEqual(written);
  const { phases, memory, checks } = written.summary;
  expect(phases.map(({ phase }) => phase)).toEqual([
    'read',
    'tokenise',
    'batching',
    'stage 1, exit 0',
    'stage 2, layers 1–2',
    'stage 3, layers 3–3',
    'format',
    'commit',
    'merge',
  ]);
  expect(checks).toEqual(['label-early = phases: output byte for byte']);
  expect(memory).toMatchObject([{ rows: 200 }]);
  expect((await readdir(join(scratch, 'view'))).sort()).toEqual([
    'bench-memory.svg',
    'bench-phases.svg',
    'bench-throughput.svg',
    'bench.md',
  ]);
});

it('fails where one variant labels rows otherwise than another', async () => {
  await writeRandomCheckpoint(join(scratch, 'other'), tiny(3));
  const full = ['--only', 'full-int8-exits', '--rounds', '1'];
  await bench(...full, '--checkpoint', 'other');
  const cache = join(scratch, 'cache');
  const bundles = await readdir(cache);
  const named = (start: string): string =>
    join(
      cache,
      bundles.find((name) => name.startsWith(start))!,
    );
  // Another model takes the place of the compiled one.
  await rm(named('tiny-int8-from-0'), { recursive: true });
  await cp(named('other-int8-from-0'), named('tiny-int8-from-0'), { recursive: true });
  const { code, stderr } = await bench('--only', 'full-int8,full-int8-exits', '--rounds', '1');
  expect(stderr).toMatch(/BenchCheckError: Row \d+ has label \d from exit 3 in full-int8/);
  expect(code).toBe(1);
});
