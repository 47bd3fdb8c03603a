/** What a run may expect of whoever labels its chunks: the same of this process and of a fleet. */
import { setMaxListeners } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { epochsKey, partsKey, readyKey } from '#queue/queue-keys.js';
import { LocalChunkLabeller } from '#pipeline/local-chunk-labeller.js';
import type { ChunkLabeller, CorpusChunk } from '#pipeline/ports.js';
import { sum } from '#pipeline/report/counts.js';
import { ToyCorpus, ToyLabeller, ToyTokenizer, toyCorpusText, toyLabelsOf } from '../toy-ports.js';
import { RedisServer } from './redis-server.js';
import { openFleet, openToyWorker } from './toy-fleet.js';

let folder: string;
let redis: RedisServer;
let chunks: CorpusChunk[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-labellers-'));
  const path = join(folder, 'corpus.txt');
  await writeFile(path, `${toyCorpusText(95)}no tab\n${'red\tlong '.padEnd(60, 'x')}\n`);
  expect(await readFile(path, 'utf8')).toContain('no tab');
  chunks = [];
  for await (const chunk of new ToyCorpus(path, 10).chunks()) chunks.push(chunk);
  redis = await RedisServer.start();
});
afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

interface OpenLabeller {
  readonly labeller: ChunkLabeller;
  close(): Promise<void>;
}

let runs = 0;
/** A fleet with a worker for each span of stages. */
function fleetOf(...spans: readonly (readonly [number, number])[]): OpenLabeller {
  const workers = spans.map((stages) => openToyWorker(redis, { stages, pauseMs: 5 }));
  const fleet = openFleet(redis, `contract-${(runs += 1)}`);
  return {
    labeller: fleet.labeller,
    async close() {
      await fleet.close();
      for (const worker of workers) await worker.close();
    },
  };
}

const adapters: Record<string, () => OpenLabeller> = {
  'this process': () => ({
    labeller: new LocalChunkLabeller(new ToyTokenizer(), new ToyLabeller()),
    close: () => Promise.resolve(),
  }),
  'a fleet': () => fleetOf([0, 2]),
  'a fleet with a worker for each stage': () => fleetOf([0, 0], [1, 1], [2, 2]),
  'a fleet of workers that share stages': () => fleetOf([0, 0], [0, 1], [1, 2], [0, 2]),
};

describe.each(Object.keys(adapters))('chunks labelled by %s', (name) => {
  const never = new AbortController().signal;
  setMaxListeners(0, never);
  let open: OpenLabeller;
  beforeEach(() => {
    open = adapters[name]!();
  });
  afterEach(() => open.close());

  it('have the labels of their rows, and the counts', async () => {
    for (const chunk of chunks) {
      const tokens = await new ToyTokenizer().tokenize(chunk.texts);
      expect(await open.labeller.label(chunk, never)).toMatchObject({
        labels: toyLabelsOf(tokens),
        tokens: tokens.ids.length,
        truncated: sum(tokens.truncated),
      });
    }
  });

  it('are each given their own, side by side', async () => {
    const found = await Promise.all(chunks.map((chunk) => open.labeller.label(chunk, never)));
    for (const [index, { texts }] of chunks.entries()) {
      expect(found[index]!.labels).toEqual(toyLabelsOf(await new ToyTokenizer().tokenize(texts)));
    }
  });

  it('are waited for no longer than until the signal aborts', async () => {
    const stop = new AbortController();
    const stopped = open.labeller.label(chunks[0]!, stop.signal);
    const other = open.labeller.label(chunks[1]!, never);
    stop.abort(new Error('stopped here'));
    await expect(stopped).rejects.toThrow('stopped here');
    expect((await other).labels.rows).toBe(chunks[1]!.texts.length);
    // And again, as a run that is resumed asks.
    expect((await open.labeller.label(chunks[0]!, never)).labels.rows).toBe(chunks[0]!.texts.length);
  });
});

it('a result that is damaged in Redis is dropped, and its chunk is done again', async () => {
  const run = 'contract-damaged';
  const fleet = openFleet(redis, run);
  const client = new Redis(redis.url);
  const [chunk] = chunks;
  const found = fleet.labeller.label(chunk!, new AbortController().signal);
  await expect.poll(() => client.hexists(epochsKey(run), String(chunk!.chunk))).toBe(1);
  await client.hset(partsKey({ run, chunk: chunk!.chunk }), {
    '0-9-10-': 'no part',
    rows: chunk!.texts.length,
  });
  await client.rpush(readyKey(run), chunk!.chunk);
  await expect.poll(() => client.exists(partsKey({ run, chunk: chunk!.chunk }))).toBe(0);
  const worker = openToyWorker(redis, {});
  expect((await found).labels).toEqual(toyLabelsOf(await new ToyTokenizer().tokenize(chunk!.texts)));
  await fleet.close();
  await worker.close();
  client.disconnect();
});
