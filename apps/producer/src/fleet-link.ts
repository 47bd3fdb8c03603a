import { randomBytes } from 'node:crypto';
import type { Settings } from '#config/settings-schema.js';
import type { Metrics } from '#metrics/metrics.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { ByteBudget } from '#pipeline/fleet/byte-budget.js';
import type { FleetLabellerOptions } from '#pipeline/fleet/fleet-labeller.js';
import { FleetLabeller } from '#pipeline/fleet/fleet-labeller.js';
import type { RunDirectory } from '#pipeline/run-directory/run-directory.js';
import { forgetRun } from '#queue/forget-run.js';
import { BullmqTransport } from '#queue/bullmq-transport.js';
import type { RedisConnection } from '#queue/redis-connection.js';
import { RedisResultStore } from '#queue/redis-result-store.js';
import type { WorkerCard } from '#queue/worker-registry.js';
import { listWorkers } from '#queue/worker-registry.js';
import type { ChunkWorkers, OpenChunkLabeller } from '#run/label-corpus.js';
import type { QueuePressure } from './queue-pressure.js';

const MEBIBYTE = 2 ** 20;
/** Somebody waits: a lost job is missed soon. */
const URGENT_RECONCILE_MS = 2000;
/** Requests are answered, or given up, sooner: texts that are older are those of a producer that died. */
const URGENT_OPEN_MS = 60_000;

/** What the log hears of the fleet. */
interface FleetLog {
  warn(message: string): void;
}

/** The producer's end of the queue. */
export class FleetLink {
  /** For what somebody waits for: it fails soon. */
  readonly asking: RedisConnection;
  readonly pressure: QueuePressure;
  readonly #feeding: RedisConnection;
  readonly #settings: Settings['producer'];
  readonly #metrics: Metrics;
  readonly #log: FleetLog;

  constructor(
    redis: { readonly feeding: RedisConnection; readonly asking: RedisConnection },
    pressure: QueuePressure,
    settings: Settings['producer'],
    metrics: Metrics,
    log: FleetLog,
  ) {
    this.asking = redis.asking;
    this.#feeding = redis.feeding;
    this.pressure = pressure;
    this.#settings = settings;
    this.#metrics = metrics;
    this.#log = log;
    metrics.begin('retries_total', { reason: 'job-lost' });
  }

  /** All workers, whatever they serve. */
  workers(): Promise<WorkerCard[]> {
    return listWorkers(this.asking);
  }

  /** The workers that serve a bundle. */
  async workersOf(bundle: Bundle): Promise<WorkerCard[]> {
    return (await this.workers()).filter((worker) => worker.bundle === bundle.hash);
  }

  /** The runtime that a new run takes; undefined while there are no workers. */
  async fingerprintOf(bundle: Bundle): Promise<string | undefined> {
    return this.runtimeAmong(await this.workersOf(bundle), []);
  }

  /**
   * The runtime that a run takes: that which is set, or which most of the workers have.
   * @param begun those that the run has labels of already; it goes on with one of them alone
   * @returns undefined while no worker has it
   */
  runtimeAmong(workers: readonly WorkerCard[], begun: readonly string[]): string | undefined {
    if (begun.length > 0) return begun.find((each) => workers.some((worker) => worker.fingerprint === each));
    if (this.#settings.fingerprint !== null) return this.#settings.fingerprint;
    const counts = new Map<string, number>();
    for (const { fingerprint } of workers) counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + 1);
    return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b))[0]?.[0];
  }

  /** Who labels the chunks of a run. */
  chunkWorkers(bundle: Bundle, fingerprint: string, priority: number): ChunkWorkers {
    const { feed } = this.#settings;
    return {
      fingerprint,
      open: async (run: RunDirectory): Promise<OpenChunkLabeller> => ({
        ...this.#labeller(bundle, {
          run: run.record.id,
          policy: run.record.policy,
          fingerprints: run.record.fingerprints,
          nextEpoch: await run.openEpochs(),
          budget: new ByteBudget(feed.bytesInFlight * MEBIBYTE),
          reconcileMs: feed.reconcileSeconds * 1000,
          gate: (signal) => this.pressure.room(signal),
          priority,
        }),
        chunksInFlight: feed.chunksInFlight,
      }),
    };
  }

  /**
   * Takes what is left of a run out of the queue. What cannot be reached goes by its own time.
   * @param run its id in the run directory
   */
  async forget(run: string): Promise<void> {
    await forgetRun(this.asking, run).catch((error: unknown) =>
      this.#log.warn(`What is left of run ${run} in the queue stays there for a day: ${String(error)}`),
    );
  }

  /** Labels texts that somebody waits for. */
  urgentLabeller(
    bundle: Bundle,
    policy: Readonly<Record<string, number>>,
    fingerprint: string,
  ): OpenChunkLabeller {
    let epoch = 0;
    return this.#labeller(bundle, {
      run: `urgent-${randomBytes(6).toString('hex')}`,
      policy,
      fingerprints: [fingerprint],
      nextEpoch: () => (epoch += 1),
      reconcileMs: URGENT_RECONCILE_MS,
      urgent: true,
    });
  }

  #labeller(bundle: Bundle, options: Omit<FleetLabellerOptions, 'classes' | 'attempts'>): OpenChunkLabeller {
    const { feed } = this.#settings;
    const transport = new BullmqTransport(this.#feeding, bundle.hash);
    const results = new RedisResultStore(this.#feeding, options.urgent === true ? URGENT_OPEN_MS : undefined);
    const labeller = new FleetLabeller(transport, results, {
      ...options,
      classes: bundle.manifest.labels.length,
      attempts: feed.attempts,
      onRetry: (chunk) => {
        this.#metrics.count('retries_total', { reason: 'job-lost' });
        this.#log.warn(`Chunk ${chunk} of run ${options.run} is given out again: its jobs were lost.`);
      },
      onTrouble: (error) => this.#log.warn(String(error)),
    });
    return {
      labeller,
      close: async () => {
        const closed = labeller.close();
        results.close();
        await closed;
        await transport.close();
      },
    };
  }
}
