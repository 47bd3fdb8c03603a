/** Gives chunks to the queue and waits for their labels: `redis bundle chunks rows`. Answers with what it took, as JSON. */
import { setMaxListeners } from 'node:events';
import { FleetLabeller } from '#pipeline/fleet/fleet-labeller.js';
import { inFlight } from '#pipeline/in-flight.js';
import { BullmqTransport } from '#queue/bullmq-transport.js';
import { connectRedis } from '#queue/redis-connection.js';
import { RedisResultStore } from '#queue/redis-result-store.js';
import { processCpuSeconds } from '../process-usage.js';

const [url = '', bundle = '', chunks = '0', rows = '0'] = process.argv.slice(2);
const redis = connectRedis({ url });
const transport = new BullmqTransport(redis, bundle);
const results = new RedisResultStore(redis);
let epoch = 0;
const labeller = new FleetLabeller(transport, results, {
  run: 'queue-cost',
  classes: 2,
  policy: {},
  fingerprints: ['stub'],
  nextEpoch: () => (epoch += 1),
  reconcileMs: 30_000,
  attempts: 3,
});
const texts = Array.from({ length: Number(rows) }, (_, row) => `the text of row ${row}, as short as many`);

async function* numbers(): AsyncGenerator<number> {
  for (let chunk = 0; chunk < Number(chunks); chunk += 1) yield chunk;
}

async function give(signal: AbortSignal, chunk: number): Promise<void> {
  const range = { file: 0, start: 0, end: 0, sha256: '' };
  const { labels } = await labeller.label(
    { chunk, firstRow: 1, rows: texts.length, range, texts, records: texts, rejects: [] },
    signal,
  );
  if (labels.rows !== texts.length) throw new Error(`Expected ${texts.length} rows; got ${labels.rows}.`);
}

const stop = new AbortController();
setMaxListeners(0, stop.signal);
// The first chunk connects everything.
await give(stop.signal, Number(chunks));
const [cpu, begun] = [processCpuSeconds(), performance.now()];
await inFlight(numbers(), 32, stop, (chunk) => give(stop.signal, chunk));
const answer = { cpuSeconds: processCpuSeconds() - cpu, seconds: (performance.now() - begun) / 1000 };
const closed = labeller.close();
results.close();
await closed;
await transport.close();
redis.disconnect();
process.stdout.write(`${JSON.stringify(answer)}\n`);
