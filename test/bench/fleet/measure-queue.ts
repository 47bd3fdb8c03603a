import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { RedisServer } from '../../fleet/redis-server.js';
import { cpuSecondsOf } from '../process-usage.js';
import { redisCpuSeconds } from './redis-cpu.js';

/** What the queue alone takes for a row: no corpus, no tokenizer, no model, no output. */
export interface QueueCost {
  readonly rows: number;
  readonly seconds: number;
  /** Processor time for one row, microseconds. */
  readonly feeder: number;
  readonly worker: number;
  readonly redis: number;
}

export const CHUNK_ROWS = 1024;
const CHUNKS = 2000;
const BUNDLE = 'b'.repeat(64);

const script = (name: string): string => fileURLToPath(new URL(`${name}.child.js`, import.meta.url));

export async function measureQueue(): Promise<QueueCost> {
  const server = await RedisServer.start({ appendonly: 'no' });
  const worker = spawn(process.execPath, [script('queue-worker'), server.url, BUNDLE], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(worker.stdout, 'data');
    const redis = new Redis(server.url);
    const before = { worker: cpuSecondsOf(worker.pid!) ?? 0, redis: await redisCpuSeconds(redis) };
    const args = [script('queue-feeder'), server.url, BUNDLE, String(CHUNKS), String(CHUNK_ROWS)];
    const feeder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const answer: { cpuSeconds: number; seconds: number } = JSON.parse(await text(feeder.stdout));
    const rows = CHUNKS * CHUNK_ROWS;
    const micros = (seconds: number): number => (seconds * 1e6) / rows;
    const cost = {
      rows,
      seconds: answer.seconds,
      feeder: micros(answer.cpuSeconds),
      worker: micros((cpuSecondsOf(worker.pid!) ?? 0) - before.worker),
      redis: micros((await redisCpuSeconds(redis)) - before.redis),
    };
    redis.disconnect();
    return cost;
  } finally {
    worker.kill('SIGKILL');
    await server.stop();
  }
}
