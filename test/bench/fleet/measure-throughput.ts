import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Bundle } from '#model/bundle/bundle.js';
import { ServiceFleet } from '../../fleet/service-fleet.js';
import { cpuSecondsOf } from '../process-usage.js';
import { runLabel } from '../run-label.js';
import type { Answers } from './fleet-run.js';
import { askAgainAndAgain, histogramOf, runOnFleet, sha256Of } from './fleet-run.js';

export const SPEED = 0.2;
const BATCH_TOKENS = 1024;

/** The last two compute rows of the same tokens once. */
export type Variant = 'embedded' | 'fleet' | 'stages' | 'embedded, repeats' | 'fleet, repeats';

/** One way to label the rows, once. */
export interface ThroughputSample {
  readonly variant: Variant;
  readonly round: number;
  readonly rows: number;
  /** From the first chunk that is read to the last that is committed. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly outputSha256: string;
  /** Of the batches of the last stage, where it has a worker of its own. */
  readonly deepBatch?: { readonly tokens: number; readonly batches: number } | undefined;
  readonly answers?: readonly Answers[] | undefined;
}

interface Work {
  readonly bundle: Bundle;
  /** Of the corpus. */
  readonly path: string;
  readonly folder: string;
}

/** `sluice label` with two inference threads. */
export async function embedded(
  { bundle, path, folder }: Work,
  round: number,
  dedupe = false,
): Promise<ThroughputSample> {
  const variant = dedupe ? 'embedded, repeats' : 'embedded';
  const out = join(folder, `${variant}-${round}`);
  await mkdir(out, { recursive: true });
  const run = await runLabel({
    corpus: path,
    bundle: bundle.directory,
    speed: SPEED,
    workers: 2,
    batchTokens: BATCH_TOKENS,
    folder: out,
    dedupe,
  });
  return {
    variant,
    round,
    rows: run.rows,
    seconds: run.seconds,
    cpuSeconds: run.usage.cpuSeconds,
    outputSha256: run.sha256,
  };
}

/**
 * Redis, a producer, and two workers of one thread.
 * @param stages of each
 * @param asks whether health and metrics are asked meanwhile, which takes processor time of its own
 */
export async function onFleet(
  { bundle, path }: Work,
  variant: Exclude<Variant, 'embedded' | 'embedded, repeats'>,
  stages: readonly string[],
  round: number,
  asks = false,
): Promise<ThroughputSample> {
  const fleet = await ServiceFleet.start();
  try {
    const models = dirname(bundle.directory);
    const producer = await fleet.producer({
      SLUICE_MODELS_ROOT: models,
      SLUICE_PRODUCER_INPUT_ROOT: dirname(path),
      SLUICE_PRODUCER_FEED_RECONCILE_SECONDS: '30',
    });
    const workers = await Promise.all(
      stages.map((each) =>
        fleet.worker({
          SLUICE_STAGES: each,
          SLUICE_WORKER_BUNDLE: bundle.directory,
          SLUICE_WORKER_LOCK_SECONDS: '30',
          ...(variant === 'fleet, repeats' ? {} : { SLUICE_WORKER_DEDUPE_MEMORY: '0' }),
        }),
      ),
    );
    const stop = new AbortController();
    const addresses = [
      `${producer.admin}/health`,
      `${producer.admin}/metrics`,
      `${workers[0]!.admin}/health`,
      `${workers[0]!.admin}/metrics`,
    ];
    const asking = askAgainAndAgain(asks ? addresses : [], stop.signal);
    const pids = [producer, ...workers].map(({ pid }) => pid);
    const cpu = (): number => pids.reduce((sum, pid) => sum + (cpuSecondsOf(pid) ?? 0), 0);
    const before = cpu();
    const { report, id } = await runOnFleet(producer.api, {
      model: bundle.directory.slice(models.length + 1),
      speed: SPEED,
      path: path.slice(dirname(path).length + 1),
    });
    const cpuSeconds = cpu() - before;
    stop.abort();
    const last = bundle.stageFiles.length;
    const deep = await histogramOf(workers.at(-1)!.admin, 'stage_batch_tokens', last);
    return {
      variant,
      round,
      rows: report!.lastSession.rows,
      seconds: report!.lastSession.seconds,
      cpuSeconds,
      outputSha256: await sha256Of(join(fleet.folder, 'runs', id, 'output.jsonl')),
      deepBatch: variant === 'stages' ? { tokens: deep.sum / deep.count, batches: deep.count } : undefined,
      answers: asks ? await asking : undefined,
    };
  } finally {
    await fleet.stop();
  }
}
