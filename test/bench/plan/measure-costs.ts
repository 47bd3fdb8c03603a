import { basename, dirname } from 'node:path';
import { Redis } from 'ioredis';
import { decodeActivations, encodeActivations } from '#pipeline/fleet/activation-blob.js';
import { connectRedis } from '#queue/redis-connection.js';
import { RedisActivationStore } from '#queue/redis-activation-store.js';
import { RedisServer } from '../../fleet/redis-server.js';
import { ServiceFleet } from '../../fleet/service-fleet.js';
import { runOnFleet } from '../fleet/fleet-run.js';
import { stubWorker } from '../fleet/measure-memory.js';
import { redisCpuSeconds } from '../fleet/redis-cpu.js';
import { cpuSecondsOf, processCpuSeconds } from '../process-usage.js';
import { fitLine } from '../statistics.js';

/** What `measuredCosts` of the planner holds, as it is here and now. */
export interface BesideCosts {
  /** Producer's processor time for a row until it is committed, µs, once it is warm. */
  readonly producer: number;
  /** For a row of the merge, µs. */
  readonly merge: number;
  /** Worker's processor time for a byte of activations that it sends, ns. */
  readonly send: number;
  /** That it gets, ns. */
  readonly get: number;
  /** Redis' for a byte in and out, ns. */
  readonly redis: number;
}

/** @param path of a corpus of so many rows that the producer gets warm */
export async function measureCosts(path: string): Promise<BesideCosts> {
  return { ...(await producerCosts(path)), ...(await activationCosts()) };
}

/** A real producer and a real Redis; workers without a model. */
async function producerCosts(path: string): Promise<Pick<BesideCosts, 'producer' | 'merge'>> {
  const fleet = await ServiceFleet.start({ appendonly: 'no' });
  try {
    const producer = await fleet.producer({
      SLUICE_PRODUCER_INPUT_ROOT: dirname(path),
      SLUICE_PRODUCER_FEED_RECONCILE_SECONDS: '30',
    });
    await Promise.all([stubWorker(fleet, ['0', '0']), stubWorker(fleet, ['1', '2'])]);
    const cpu = (): number => cpuSecondsOf(producer.pid) ?? 0;
    const seen: { x: number; y: number }[] = [];
    const view = await runOnFleet(
      producer.api,
      { model: 'spam', speed: 0.9, path: basename(path), textField: 'text' },
      ({ progress }) => {
        if (progress?.phase === 'labelling' && progress.rows > 0) seen.push({ x: progress.rows, y: cpu() });
        return Promise.resolve();
      },
    );
    const rows = view.report?.accepted ?? 0;
    const labelled = seen.at(-1);
    if (labelled === undefined) throw new Error(`${rows} rows were labelled before anybody could look.`);
    const { slope, intercept } = fitLine(seen.filter(({ x }) => x > 0.3 * rows));
    return { producer: 1e6 * slope, merge: (1e6 * Math.max(0, cpu() - (intercept + slope * rows))) / rows };
  } finally {
    await fleet.stop();
  }
}

const BLOBS = 40;
/** Of a blob: survivors of a chunk. */
const NUMBERS = 2 ** 19;

async function activationCosts(): Promise<Pick<BesideCosts, 'send' | 'get' | 'redis'>> {
  const server = await RedisServer.start();
  const redis = connectRedis({ url: server.url });
  const asked = new Redis(server.url);
  try {
    const store = new RedisActivationStore(redis);
    const numbers = Float32Array.from({ length: NUMBERS }, (_, at) => Math.sin(at));
    const send = async (blob: number): Promise<void> =>
      store.put(`bench:${blob}`, encodeActivations([numbers]));
    const get = async (blob: number): Promise<void> => {
      const hidden = decodeActivations((await store.get(`bench:${blob}`))!);
      if (hidden?.length !== numbers.length) throw new Error('The activations came back otherwise.');
      // And then, those of a batch.
      hidden.slice();
      await store.drop(`bench:${blob}`);
    };
    const cost = async (work: (blob: number) => Promise<void>): Promise<number> => {
      const begun = processCpuSeconds();
      for (let blob = 0; blob < BLOBS; blob += 1) await work(blob);
      return (1e9 * (processCpuSeconds() - begun)) / (BLOBS * numbers.byteLength);
    };
    await send(0);
    await get(0);
    const before = await redisCpuSeconds(asked);
    const [sent, got] = [await cost(send), await cost(get)];
    const used = (await redisCpuSeconds(asked)) - before;
    return { send: sent, get: got, redis: (1e9 * used) / (BLOBS * numbers.byteLength) };
  } finally {
    redis.disconnect();
    asked.disconnect();
    await server.stop();
  }
}
