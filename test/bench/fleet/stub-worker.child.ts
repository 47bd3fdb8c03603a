/**
 * A worker whose stages compute nothing: `redis bundle first last`. Everything else is real: tokenizer, batches, queue,
 * results, activations. A quarter of the rows survives every stage but the last.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { openBundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import { StageEngine } from '#pipeline/engine/stage-engine.js';
import { activationBudgets } from '#pipeline/fleet/activation-budgets.js';
import { PolicyEngines } from '#pipeline/fleet/policy-engines.js';
import { dropUnwanted, workOnJob } from '#pipeline/fleet/work-on-job.js';
import type { StageBatch, StageResult, StageRunner } from '#pipeline/ports.js';
import { BullmqTransport } from '#queue/bullmq-transport.js';
import { connectRedis } from '#queue/redis-connection.js';
import { RedisActivationStore } from '#queue/redis-activation-store.js';
import { RedisResultStore } from '#queue/redis-result-store.js';
import { StageWorker } from '#queue/stage-worker.js';
import { tellOfWorker } from '#queue/worker-registry.js';
import { startTokenizer } from '#tokenizer/start-tokenizer.js';

const [url = '', directory = '', from = '0', to = '0'] = process.argv.slice(2);
const [first, last] = [Number(from), Number(to)];
const bundle = await openBundle(directory);
// Little to carry: what is measured is the queue.
const layout = { ...layoutOf(bundle.manifest), hiddenSize: 8 };
const classes = layout.labels.length;

class StubRunner implements StageRunner {
  readonly concurrency = 2;

  run({ stage, rows, tokens }: StageBatch): Promise<StageResult> {
    const isLast = stage === layout.stages.length - 1;
    // All leave or survive at the stage's first exit; none reaches the others.
    const exits = layout.stages[stage]!.exits.map((layer, index) => {
      const count = index === 0 ? rows : 0;
      return {
        layer,
        rows: Int32Array.from({ length: count }, (_, row) => row),
        probabilities: new Float32Array(count * classes).fill(1 / classes),
        uncertainty: Float32Array.from({ length: count }, (_, row) => (isLast || row % 4 > 0 ? 0.5 : 1)),
      };
    });
    const survivors = isLast ? [] : Array.from({ length: Math.ceil(rows / 4) }, (_, at) => 4 * at);
    return Promise.resolve({
      exits,
      survivors: {
        rows: Int32Array.from(survivors),
        hidden: new Float32Array(survivors.length * tokens * layout.hiddenSize),
      },
      seconds: 0.001,
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const redis = connectRedis({ url });
const tokenizer = await startTokenizer({
  directory,
  rule: bundle.manifest.specialTokens,
  maxLength: bundle.manifest.maxLength,
  threads: 1,
});
const runner = new StubRunner();
const transport = new BullmqTransport(redis, bundle.hash);
const fingerprint = 'stub';
const parts = {
  layout,
  lastStage: last,
  tokenizer,
  engines: new PolicyEngines(
    (policy) =>
      new StageEngine(runner, layout, policy, {
        lastStage: last,
        patience: { ms: 100, moreMayCome: () => worker.takesMore },
      }),
  ),
  transport,
  results: new RedisResultStore(redis),
  activations: new RedisActivationStore(redis),
  budgets: activationBudgets(64 * 2 ** 20, 8 * 2 ** 20),
  blobBytes: 8 * 2 ** 20,
  tryRows: () => Promise.reject(new Error('No row of these is suspect.')),
};
const worker: StageWorker = new StageWorker(
  redis,
  (job, isSuspect, signal) => workOnJob(job, isSuspect, parts, signal),
  {
    bundle: bundle.hash,
    stages: Array.from({ length: last - first + 1 }, (_, index) => first + index),
    fingerprint,
    jobs: 8,
    lockMs: 30_000,
    dropUnwanted: (job) => dropUnwanted(job, parts),
    onTrouble: (error) => process.stderr.write(`${String(error)}\n`),
  },
);
const id = randomBytes(4).toString('hex');
const stages = layout.stages.map((_, stage) => ({ stage, jobs: 0, rows: 0, rowsRun: 0, seconds: 0 }));
const tell = (): Promise<void> =>
  tellOfWorker(redis, {
    id,
    host: hostname(),
    bundle: bundle.hash,
    fingerprint,
    stages: stages.slice(first, last + 1),
  });
await tell();
setInterval(() => void tell(), 5000);
process.stdout.write('ready\n');
