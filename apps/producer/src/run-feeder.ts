import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '#config/settings-schema.js';
import type { Metrics } from '#metrics/metrics.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { answerFormOf } from '#model/bundle/manifest.js';
import { RunStoppedError } from '#pipeline/label-run.js';
import { readJson } from '#pipeline/run-directory/read-json.js';
import { RunLockedError, RunLockLostError } from '#pipeline/run-directory/run-lock.js';
import { isRunRecord } from '#pipeline/run-directory/run-record.js';
import { sum } from '#pipeline/report/counts.js';
import { policyOf } from '#run/choose-policy.js';
import { expectedExits } from '#run/expected-exits.js';
import type { ChunkWorkers } from '#run/label-corpus.js';
import { labelCorpus } from '#run/label-corpus.js';
import { isUnderWay } from '#run/run-view.js';
import type { FedRun } from './fed-run.js';
import type { FleetLink } from './fleet-link.js';
import { LeastCertainRows } from './least-certain-rows.js';
import { unservedStages, whyItWaits } from './missing-workers.js';
import type { ModelShelf } from './model-shelf.js';
import type { RunFolders, SubmittedRun } from './run-folder.js';
import { LEAST_CERTAIN, modelOf, priorityOf, runOptions } from './run-options.js';
import { RunProgressTeller } from './run-progress-teller.js';

interface FeederLog {
  log(message: string): void;
  warn(message: string): void;
}

/** Between looks at the folders of the runs: other producers, and those before this one, have left work there. */
const LOOK_EVERY_MS = 2000;
/** Between looks for workers, while there are none. */
const WORKERS_EVERY_MS = 1000;
/** Between looks for workers of a run that goes on: one that commits nothing from one to the next stands still. */
const STANDSTILL_EVERY_MS = 5000;
/** Another producer feeds it; looked at again then. */
const LOCKED_FOR_MS = 15_000;
/** Why a run was stopped here. */
type StopReason = 'cancelled' | 'producer-stops';

/**
 * Feeds runs: takes those that wait, and those whose producer is gone, a few at a time. What becomes of them is in their
 * folders; the process may end at any moment.
 */
export class RunFeeder {
  readonly #folders: RunFolders;
  readonly #models: ModelShelf;
  readonly #fleet: FleetLink;
  readonly #settings: Settings['producer'];
  readonly #metrics: Metrics;
  readonly #log: FeederLog;
  readonly #fed = new Map<string, FedRun>();
  /** When a run that another feeds is looked at again. */
  readonly #locked = new Map<string, number>();
  readonly #stop = new AbortController();
  #looking: Promise<void> = Promise.resolve();

  constructor(parts: {
    folders: RunFolders;
    models: ModelShelf;
    fleet: FleetLink;
    settings: Settings['producer'];
    metrics: Metrics;
    log: FeederLog;
  }) {
    this.#folders = parts.folders;
    this.#models = parts.models;
    this.#fleet = parts.fleet;
    this.#settings = parts.settings;
    this.#metrics = parts.metrics;
    this.#log = parts.log;
    for (const outcome of ['finished', 'failed']) this.#metrics.begin('runs_ended_total', { outcome });
  }

  /** Begins to look for runs, for as long as the producer lives. */
  start(): void {
    void this.#lookOn();
  }

  fed(id: string): FedRun | undefined {
    return this.#fed.get(id);
  }

  /** Runs that are worked on here. */
  get active(): number {
    return Array.from(this.#fed.values()).filter(({ waitsForWorkersOf }) => waitsForWorkersOf === undefined)
      .length;
  }

  /** Why a run is not begun with here; undefined where it is about to be. */
  whyItWaits(run: SubmittedRun): string | undefined {
    const before = this.#firstForWorkers(modelOf(run));
    if (before !== undefined) return before.waitsFor;
    return this.active < this.#settings.limits.runsActive ? undefined : this.#others();
  }

  /** Versions of models whose runs are worked on here, such as `topics@3`. */
  get models(): ReadonlySet<string> {
    return new Set(Array.from(this.#fed.values(), ({ model }) => model));
  }

  /** Chunks between reading and commit. */
  get chunksInFlight(): number {
    return sum(Array.from(this.#fed.values(), ({ chunksInFlight }) => chunksInFlight));
  }

  /** Runs that cannot begin, since no worker serves the bundle of this hash. */
  waitingForWorkers(bundle: string): number {
    return Array.from(this.#fed.values()).filter((fed) => fed.waitsForWorkersOf === bundle).length;
  }

  /** Takes what waits, now. */
  look(): Promise<void> {
    this.#looking = this.#looking
      .then(() => this.#look())
      .catch((error: unknown) => this.#log.warn(String(error)));
    return this.#looking;
  }

  /** Stops work on a run here, if there is any. */
  async stopRun(id: string): Promise<void> {
    const fed = this.#fed.get(id);
    fed?.stop.abort('cancelled' satisfies StopReason);
    await fed?.done;
  }

  /** Takes what is left of a run that nobody goes on with out of the queue. */
  async forget(id: string): Promise<void> {
    const record = await readJson(this.#folders.path(id, 'run'), 'run.json', isRunRecord).catch(
      () => undefined,
    );
    if (record !== undefined) await this.#fleet.forget(record.id);
  }

  /** Leaves all runs as they are, for whoever feeds them next. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
    for (const fed of this.#fed.values()) fed.stop.abort('producer-stops' satisfies StopReason);
    await Promise.all(Array.from(this.#fed.values(), ({ done }) => done));
  }

  async #lookOn(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.look();
      await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const waiting: SubmittedRun[] = [];
    const ids = await this.#folders.ids();
    for (const [id, { stop }] of this.#fed) {
      // Another producer cancelled and deleted it.
      if (!ids.includes(id)) stop.abort('cancelled' satisfies StopReason);
    }
    for (const id of ids) {
      const phase = (await this.#folders.state(id).catch(() => undefined))?.phase;
      if (phase === 'cancelled') this.#fed.get(id)?.stop.abort('cancelled' satisfies StopReason);
      if ((phase !== 'waiting' && phase !== 'running') || this.#fed.has(id)) continue;
      if ((this.#locked.get(id) ?? 0) > Date.now()) continue;
      const run = await this.#folders.submitted(id).catch((error: unknown) => {
        this.#log.warn(`Run ${id} cannot be read: ${String(error)}`);
        return undefined;
      });
      if (run !== undefined) waiting.push(run);
    }
    waiting.sort((a, b) => priorityOf(a) - priorityOf(b) || a.createdAt.localeCompare(b.createdAt));
    for (const run of waiting) {
      if (this.#stop.signal.aborted || this.active >= this.#settings.limits.runsActive) return;
      // One is enough to see whether workers have come.
      if (this.#firstForWorkers(modelOf(run)) === undefined) this.#feed(run);
    }
  }

  /** The run that waits for the first worker of a model. */
  #firstForWorkers(model: string): FedRun | undefined {
    return Array.from(this.#fed.values()).find(
      (fed) => fed.model === model && fed.waitsForWorkersOf !== undefined && !fed.isBegun,
    );
  }

  #others(): string {
    return `It waits for other runs: this producer works on ${this.#settings.limits.runsActive} at the same time.`;
  }

  #feed(run: SubmittedRun): void {
    const stop = new AbortController();
    const fed: FedRun = {
      id: run.id,
      model: modelOf(run),
      progress: undefined,
      counts: undefined,
      leastCertain: undefined,
      waitsFor: undefined,
      waitsForWorkersOf: undefined,
      isBegun: false,
      queued: undefined,
      chunksInFlight: 0,
      notes: [],
      stop,
      done: Promise.resolve(),
    };
    const done = this.#work(run, fed)
      .catch((error: unknown) => {
        // Its state could not be written, so it would be taken up again at once, and again.
        this.#locked.set(run.id, Date.now() + LOCKED_FOR_MS);
        this.#log.warn(`Run ${run.id}: ${String(error)}`);
      })
      .finally(() => {
        this.#fed.delete(run.id);
        if (!this.#stop.signal.aborted) void this.look();
      });
    this.#fed.set(run.id, Object.assign(fed, { done }));
  }

  /** A run to its end, whichever that is. */
  async #work(run: SubmittedRun, fed: FedRun): Promise<void> {
    const { id } = run;
    try {
      await this.#label(run, fed);
      await this.#folders.setState(id, 'finished');
      this.#metrics.count('runs_ended_total', { outcome: 'finished' });
      this.#log.log(`Run ${id} is finished.`);
    } catch (caught) {
      const reason: unknown = fed.stop.signal.reason;
      // Stopped for a reason of its own, a run fails; else whoever stopped it has written what it is now.
      const error = reason instanceof Error ? reason : caught;
      if (error instanceof RunLockedError || error instanceof RunLockLostError) {
        this.#locked.set(id, Date.now() + LOCKED_FOR_MS);
      } else if (reason === undefined || reason instanceof Error) {
        const message = error instanceof Error ? error.message : String(error);
        await this.#forgetFed(fed);
        await this.#folders.setState(id, 'failed', message);
        this.#metrics.count('runs_ended_total', { outcome: 'failed' });
        this.#log.warn(`Run ${id} failed: ${message}`);
      } else {
        if (reason === ('cancelled' satisfies StopReason)) await this.#forgetFed(fed);
        if (!(error instanceof RunStoppedError) && error !== reason)
          this.#log.warn(`Run ${id}, while it was stopped: ${String(error)}`);
      }
    }
  }

  /** The folder of a run may be gone, and what it has in the queue not. */
  async #forgetFed({ queued }: FedRun): Promise<void> {
    if (queued !== undefined) await this.#fleet.forget(queued);
  }

  async #label(run: SubmittedRun, fed: FedRun): Promise<void> {
    const { id, request } = run;
    const options = await runOptions(run, this.#folders, this.#settings);
    const record = await readJson(options.runDir, 'run.json', isRunRecord);
    // What an earlier producer gave to the queue is forgotten too, should this one come to nothing.
    fed.queued = record?.id;
    const begun = record?.fingerprints ?? [];
    const bundle = await this.#models.bundle(modelOf(run));
    const fingerprint = await this.#fingerprint(bundle, begun, fed);
    // It may have been cancelled while its model was read.
    if (!isUnderWay(await this.#folders.state(id))) fed.stop.abort('cancelled' satisfies StopReason);
    fed.stop.signal.throwIfAborted();
    await this.#folders.setState(id, 'running');
    const { labels } = bundle.manifest;
    const leastCertain = await LeastCertainRows.open(
      this.#folders.path(id, LEAST_CERTAIN),
      labels,
      answerFormOf(bundle.manifest),
    );
    fed.leastCertain = leastCertain;
    const workers = watched(
      this.#fleet.chunkWorkers(bundle, fingerprint, priorityOf(run)),
      leastCertain,
      (queued) => (fed.queued = queued),
    );
    const policy = policyOf(bundle.manifest, request);
    const teller = new RunProgressTeller(
      { folders: this.#folders, settings: this.#settings, metrics: this.#metrics, log: this.#log },
      bundle,
      run,
      fed,
      expectedExits(bundle.manifest, policy),
    );
    const ended = new AbortController();
    void this.#tellOfStandstill(bundle, [...begun, fingerprint], fed, ended.signal);
    try {
      await labelCorpus(bundle, policy, options, workers, {
        signal: fed.stop.signal,
        onNote: (note) => fed.notes.push(note),
        onProgress: (progress) => teller.tell(progress),
      });
    } finally {
      ended.abort();
      await teller.end();
    }
  }

  /** Says which stages have no worker, while the run stands still. */
  async #tellOfStandstill(
    bundle: Bundle,
    runtimes: readonly string[],
    fed: FedRun,
    ended: AbortSignal,
  ): Promise<void> {
    const { name, stages } = bundle.manifest;
    let before: number | undefined;
    for (;;) {
      await sleep(STANDSTILL_EVERY_MS, undefined, { signal: ended, ref: false }).catch(() => undefined);
      if (ended.aborted) return;
      const workers = await this.#fleet.workersOf(bundle).catch(() => undefined);
      const rows = fed.progress?.rows;
      const standsStill = rows === before && fed.chunksInFlight > 0;
      fed.waitsFor =
        standsStill && workers ? unservedStages(name, workers, runtimes, stages.length) : undefined;
      before = rows;
    }
  }

  /**
   * Of the run so far, or of the workers that there are; waits for a worker of it.
   * @param begun runtimes that the run has labels of
   */
  async #fingerprint(bundle: Bundle, begun: readonly string[], fed: FedRun): Promise<string> {
    fed.isBegun = begun.length > 0;
    for (;;) {
      const workers = await this.#fleet.workersOf(bundle).catch(() => undefined);
      fed.stop.signal.throwIfAborted();
      const found = workers && this.#fleet.runtimeAmong(workers, begun);
      if (
        found !== undefined &&
        (fed.waitsForWorkersOf === undefined || this.active < this.#settings.limits.runsActive)
      ) {
        fed.waitsFor = undefined;
        fed.waitsForWorkersOf = undefined;
        return found;
      }
      if (workers === undefined) fed.waitsFor = 'Redis does not answer.';
      else if (found !== undefined) fed.waitsFor = this.#others();
      else {
        fed.waitsForWorkersOf = bundle.hash;
        fed.waitsFor = whyItWaits(bundle.manifest.name, workers, begun);
      }
      await sleep(WORKERS_EVERY_MS, undefined, { signal: fed.stop.signal, ref: false }).catch(() =>
        fed.stop.signal.throwIfAborted(),
      );
    }
  }
}

/** The same workers, and the rows that they were least certain of are noted. */
function watched(
  workers: ChunkWorkers,
  leastCertain: LeastCertainRows,
  onOpen: (run: string) => void,
): ChunkWorkers {
  return {
    ...workers,
    open: async (run) => {
      onOpen(run.record.id);
      const opened = await workers.open(run);
      return { ...opened, labeller: leastCertain.watch(opened.labeller) };
    },
  };
}
