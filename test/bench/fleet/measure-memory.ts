import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { ServiceFleet } from '../../fleet/service-fleet.js';
import { spamBundle } from '../../run-cli.js';
import { cpuSecondsOf, memoryBytes } from '../process-usage.js';
import { runOnFleet } from './fleet-run.js';
import { redisCpuSeconds } from './redis-cpu.js';

/** Memory of every process while rows are committed, and what the processor did. */
export interface FleetMemory {
  readonly rows: number;
  readonly seconds: number;
  /** Processor time of all processes for one row, microseconds. */
  readonly microsecondsPerRow: number;
  readonly series: readonly MemorySeries[];
}

export interface MemorySeries {
  readonly name: string;
  /** Rows committed, and resident memory (of Redis: used_memory) by then, bytes. */
  readonly samples: readonly { readonly rows: number; readonly bytes: number }[];
}

const SAMPLE_MS = 1000;

/** A run of short rows over a real producer, a real Redis, and workers without a model on stages of their own. */
export async function measureMemory(rows: number, say: (line: string) => void): Promise<FleetMemory> {
  const fleet = await ServiceFleet.start({ appendonly: 'no' });
  try {
    const input = join(fleet.folder, 'input');
    await mkdir(input);
    await writeRows(join(input, 'short.txt'), rows);
    const producer = await fleet.producer({
      SLUICE_PRODUCER_INPUT_ROOT: input,
      SLUICE_PRODUCER_FEED_RECONCILE_SECONDS: '30',
    });
    const spans = ['0 0', '1 2'].map((span) => span.split(' '));
    const workers = await Promise.all(spans.map((span) => stubWorker(fleet, span)));
    const redis = new Redis(fleet.redis.url);
    const pids = new Map<string, number>([
      ['producer', producer.pid],
      ...workers.map((worker, index): [string, number] => [
        `worker of stage ${index === 0 ? '1' : '2-3'}`,
        worker.pid!,
      ]),
    ]);
    const samples = new Map<string, { rows: number; bytes: number }[]>();
    const add = (name: string, done: number, bytes: number): void => {
      samples.set(name, [...(samples.get(name) ?? []), { rows: done, bytes }]);
    };
    const before = cpuSeconds([...pids.values()]) + (await redisCpuSeconds(redis));
    let last = 0;
    const begun = performance.now();
    const view = await runOnFleet(
      producer.api,
      { model: 'spam', speed: 0.9, path: 'short.txt', format: 'txt' },
      async ({ progress }) => {
        if (performance.now() - last < SAMPLE_MS || progress === undefined) return;
        last = performance.now();
        for (const [name, pid] of pids) add(name, progress.rows, memoryBytes(pid, 'VmRSS') ?? 0);
        const used = /used_memory:(\d+)/.exec(await redis.info('memory'))?.[1];
        add('Redis', progress.rows, Number(used));
        if (samples.get('Redis')!.length % 20 === 0) say(`  ${progress.rows} rows`);
      },
    );
    const seconds = (performance.now() - begun) / 1000;
    const used = cpuSeconds([...pids.values()]) + (await redisCpuSeconds(redis)) - before;
    redis.disconnect();
    if (view.report?.accepted !== rows)
      throw new Error(`Expected ${rows} rows; got ${view.report?.accepted}.`);
    return {
      rows,
      seconds,
      microsecondsPerRow: (used * 1e6) / rows,
      series: Array.from(samples, ([name, all]) => ({ name, samples: all })),
    };
  } finally {
    await fleet.stop();
  }
}

/** @param span first and last stage, 0-based */
export async function stubWorker(fleet: ServiceFleet, span: readonly string[]): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('stub-worker.child.js', import.meta.url));
  const child = spawn(process.execPath, [script, fleet.redis.url, spamBundle, ...span], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  fleet.adopt(child);
  await once(child.stdout, 'data');
  return child;
}

async function writeRows(path: string, rows: number): Promise<void> {
  await rm(path, { force: true });
  await pipeline(function* blocks() {
    for (let row = 0; row < rows; row += 1000) {
      yield Array.from({ length: Math.min(1000, rows - row) }, (_, at) => `short row ${row + at}\n`).join('');
    }
  }, createWriteStream(path));
}

/** User and system time of processes, seconds. */
function cpuSeconds(pids: readonly number[]): number {
  let total = 0;
  for (const pid of pids) total += cpuSecondsOf(pid) ?? 0;
  return total;
}
