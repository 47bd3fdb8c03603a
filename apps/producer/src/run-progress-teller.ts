import type { Settings } from '#config/settings-schema.js';
import type { Metrics } from '#metrics/metrics.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { layoutOf } from '#model/bundle/manifest.js';
import type { RunProgress } from '#pipeline/label-run.js';
import { countedReport } from '#pipeline/report/run-report.js';
import type { Tally } from '#pipeline/report/tally.js';
import { writeDurably } from '#pipeline/run-directory/durable-write.js';
import { exitLayers } from '#pipeline/stage-layout.js';
import type { LabelProgress } from '#run/label-progress.js';
import { labelProgressOf } from '#run/label-progress.js';
import type { RunCounts } from '#run/run-counts.js';
import { runCounts } from '#run/run-counts.js';
import { UsageError } from '#run/usage-error.js';
import { countCommitted } from './committed-rows.js';
import type { FedRun } from './fed-run.js';
import type { RunFolders, SubmittedRun } from './run-folder.js';
import { modelName } from './run-options.js';

/** Progress is written down for other producers so often at most. */
const TELL_EVERY_MS = 1000;

/** What is written down of a run that goes on. */
export interface StoredProgress extends LabelProgress {
  readonly counts?: RunCounts | undefined;
}

export interface TellerParts {
  readonly folders: RunFolders;
  readonly settings: Settings['producer'];
  readonly metrics: Metrics;
  readonly log: { warn(message: string): void };
}

/** Turns what a run says into its picture, its figures, and a file for other producers. */
export class RunProgressTeller {
  readonly #parts: TellerParts;
  readonly #bundle: Bundle;
  readonly #run: SubmittedRun;
  readonly #fed: FedRun;
  readonly #expected: ReadonlyMap<number, number> | undefined;
  #begun = performance.now();
  #resumed: Tally | undefined;
  #counted: Tally | undefined;
  #written = 0;
  #writing = Promise.resolve();

  /** @param expected share of the rows that leaves at each layer, where the bundle knows it */
  constructor(
    parts: TellerParts,
    bundle: Bundle,
    run: SubmittedRun,
    fed: FedRun,
    expected: ReadonlyMap<number, number> | undefined,
  ) {
    this.#parts = parts;
    this.#bundle = bundle;
    this.#run = run;
    this.#fed = fed;
    this.#expected = expected;
  }

  tell(progress: RunProgress): void {
    const { manifest } = this.#bundle;
    const { request } = this.#run;
    const { layers } = manifest.geometry;
    const fed = this.#fed;
    const { tally, phase } = progress;
    const isLabelling = phase === 'labelling';
    if (isLabelling && this.#resumed === undefined) {
      this.#resumed = tally;
      this.#begun = performance.now();
    }
    if (isLabelling && this.#counted !== undefined)
      countCommitted(this.#parts.metrics, modelName(request.model), this.#counted, tally, this.#expected);
    fed.counts = () => runCounts(countedReport(tally, manifest.labels, layers));
    if (isLabelling) this.#counted = tally;
    fed.chunksInFlight = isLabelling ? progress.chunksPlanned - progress.chunksCommitted : 0;
    fed.progress = labelProgressOf(progress, {
      layers,
      exitLayers: exitLayers(layoutOf(manifest)),
      limit: request.limit,
      resumed: this.#resumed,
      elapsedMs: performance.now() - this.#begun,
    });
    const mostRows = this.#parts.settings.limits.rows;
    if (progress.rowsPlanned > mostRows) {
      fed.stop.abort(
        new UsageError(`The corpus has more than the ${mostRows} rows that this producer takes in one run.`),
      );
    }
    if (performance.now() - this.#written < TELL_EVERY_MS) return;
    this.#written = performance.now();
    this.#writing = this.#write();
  }

  /** Writes down how it ended. */
  async end(): Promise<void> {
    await this.#writing;
    await this.#write();
  }

  async #write(): Promise<void> {
    const { progress, counts } = this.#fed;
    if (progress === undefined) return;
    const stored: StoredProgress = { ...progress, counts: counts?.() };
    const { id } = this.#run;
    const { folders, log } = this.#parts;
    await writeDurably(folders.path(id, 'progress.json'), JSON.stringify(stored)).catch((error: unknown) =>
      log.warn(`The progress of run ${id} cannot be written: ${String(error)}`),
    );
  }
}
