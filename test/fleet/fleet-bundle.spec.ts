/** A fleet that serves a real bundle, its workers with different batches, gives the bytes of `sluice label`. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openCorpus } from '#corpus/open-corpus.js';
import { createRowWriter } from '#corpus/row-writer.js';
import { fingerprint } from '#inference/fingerprint.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { openBundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import { policyOfSpeed } from '#pipeline/exit-policy.js';
import { activationBudgets } from '#pipeline/fleet/activation-budgets.js';
import { FleetLabeller } from '#pipeline/fleet/fleet-labeller.js';
import { PolicyEngines } from '#pipeline/fleet/policy-engines.js';
import { dropUnwanted, workOnJob } from '#pipeline/fleet/work-on-job.js';
import { labelRun } from '#pipeline/label-run.js';
import { RunDirectory } from '#pipeline/run-directory/run-directory.js';
import { BullmqTransport } from '#queue/bullmq-transport.js';
import { connectRedis } from '#queue/redis-connection.js';
import { RedisActivationStore } from '#queue/redis-activation-store.js';
import { RedisResultStore } from '#queue/redis-result-store.js';
import { StageWorker } from '#queue/stage-worker.js';
import { openLabeller } from '#run/open-labeller.js';
import { labelledRun } from '../labelled-run.js';
import { jsonLines, mailSample } from '../mail-sample.js';
import { runCli, spamBundle } from '../run-cli.js';
import { RedisServer } from './redis-server.js';

const SPEED = 0.03;
const CHUNK_ROWS = 64;
let embedded: string;
let distributed: string;
let redis: RedisServer;
let bundle: Bundle;
const troubles: unknown[] = [];
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  [embedded, distributed] = [await folder(), await folder()];
  const mails = jsonLines(await mailSample(300, 160));
  for (const each of [embedded, distributed]) await writeFile(join(each, 'mails.jsonl'), mails);
  bundle = await openBundle(spamBundle);
  redis = await RedisServer.start();
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
  await redis.stop();
  for (const each of [embedded, distributed]) await rm(each, { recursive: true, force: true });
});

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'sluice-fleet-bundle-'));

/** A connection to Redis, closed at the end. */
function connect(): ReturnType<typeof connectRedis> {
  const connection = connectRedis({ url: redis.url });
  closing.push(() => {
    connection.disconnect();
    return Promise.resolve();
  });
  return connection;
}

async function startWorker(batchTokens: number, stages: readonly [number, number]): Promise<void> {
  const opened = await openLabeller(bundle, {
    workers: 1,
    tokenizerThreads: 1,
    batchTokens,
    survivorMemory: 64,
    stages,
  });
  closing.push(() => opened.close());
  const connection = connect();
  const transport = new BullmqTransport(connection, bundle.hash);
  closing.push(() => transport.close());
  const parts = {
    layout: layoutOf(bundle.manifest),
    lastStage: stages[1],
    tokenizer: opened.tokenizer,
    engines: new PolicyEngines((policy) =>
      opened.withPolicy(policy, { patience: { ms: 50, moreMayCome: () => worker.takesMore } }),
    ),
    transport,
    results: new RedisResultStore(connection),
    activations: new RedisActivationStore(connection),
    budgets: activationBudgets(64 * 2 ** 20, 2 ** 20),
    // Small enough that a chunk's survivors are several jobs.
    blobBytes: 2 ** 20,
    tryRows: () => Promise.reject(new Error('No row of these is suspect.')),
  };
  const worker: StageWorker = new StageWorker(
    connection,
    (job, isSuspect, signal) => workOnJob(job, isSuspect, parts, signal),
    {
      bundle: bundle.hash,
      stages: stages[0] === stages[1] ? [stages[0]] : [0, 1, 2].slice(stages[0], stages[1] + 1),
      fingerprint: fingerprint(),
      jobs: 4,
      lockMs: 10_000,
      dropUnwanted: (job) => dropUnwanted(job, parts),
      onTrouble: (error) => troubles.push(error),
    },
  );
  closing.push(() => worker.close());
}

/** As `sluice label` does it, its chunks labelled by the fleet. */
async function labelByFleet(policy: ExitPolicy): Promise<void> {
  const path = join(distributed, 'mails.jsonl');
  const run = await RunDirectory.open(join(distributed, 'out.jsonl.run'), {
    files: [{ path, bytes: (await stat(path)).size }],
    bundle: bundle.hash,
    format: 'jsonl',
    policy,
    options: {},
    fingerprint: fingerprint(),
    chunkRows: CHUNK_ROWS,
  });
  const corpus = await openCorpus({ paths: [path], chunkRows: CHUNK_ROWS });
  closing.push(() => corpus.close());
  const connection = connect();
  const results = new RedisResultStore(connection);
  const transport = new BullmqTransport(connection, bundle.hash);
  closing.push(() => transport.close());
  const { labels, geometry } = bundle.manifest;
  let epoch = 0;
  const labeller = new FleetLabeller(transport, results, {
    run: run.record.id,
    classes: labels.length,
    policy: run.record.policy,
    fingerprints: run.record.fingerprints,
    nextEpoch: () => (epoch += 1),
    reconcileMs: 5000,
    attempts: 3,
  });
  closing.push(async () => {
    await labeller.close();
    results.close();
  });
  const writer = createRowWriter({ format: 'jsonl', fields: corpus.fields, labels, probabilities: true });
  try {
    await labelRun(
      { run, corpus, labeller, writer, labels, layers: geometry.layers },
      { output: join(distributed, 'out.jsonl') },
    );
  } finally {
    await run.close();
  }
}

it('gives the bytes of sluice label, and its report', async () => {
  const args = ['label', 'mails.jsonl', '--model', spamBundle, '--speed', String(SPEED), '--probabilities'];
  const { end, stderr } = await runCli([...args, '--out', 'out.jsonl', '--chunk-rows', String(CHUNK_ROWS)], {
    cwd: embedded,
  });
  expect(end, stderr).toBe(0);
  await startWorker(256, [0, 2]);
  await startWorker(1024, [0, 0]);
  await startWorker(2048, [1, 1]);
  await startWorker(4096, [1, 2]);
  await labelByFleet(policyOfSpeed(SPEED, layoutOf(bundle.manifest)));
  const [expected, found] = [
    await labelledRun(embedded, 'out.jsonl'),
    await labelledRun(distributed, 'out.jsonl'),
  ];
  expect(
    new Set((await readFile(join(embedded, 'out.jsonl'), 'utf8')).match(/"exit_layer":\d/g)).size,
  ).toBeGreaterThan(3);
  expect(found).toEqual(expected);
  expect(troubles).toEqual([]);
});
