import type { Manifest } from '#model/bundle/manifest.js';
import { layoutOf } from '#model/bundle/manifest.js';
import type { RunProgress } from '#pipeline/label-run.js';
import type { Telemetry } from '#pipeline/ports.js';
import type { Tally } from '#pipeline/report/tally.js';
import { exitLayers } from '#pipeline/stage-layout.js';
import type { LabelProgress } from '#run/label-progress.js';
import { labelProgressOf } from '#run/label-progress.js';

/** Joins what the run says (chunks) and what the engine says (rows) into one picture that moves with every batch. */
export class LiveProgress implements Telemetry {
  readonly #layers: number;
  readonly #exitLayers: readonly number[];
  readonly #limit: number | undefined;
  readonly #show: (progress: LabelProgress) => void;
  readonly #left = new Map<number, number>();
  #run: RunProgress | undefined;
  #resumed: Tally | undefined;
  #begun = performance.now();

  /** @param limit rows that are labelled at most */
  constructor(manifest: Manifest, limit: number | undefined, show: (progress: LabelProgress) => void) {
    this.#limit = limit;
    this.#layers = manifest.geometry.layers;
    this.#exitLayers = exitLayers(layoutOf(manifest));
    this.#show = show;
  }

  runProgressed(progress: RunProgress): void {
    if (progress.phase === 'labelling' && this.#resumed === undefined) {
      this.#resumed = progress.tally;
      this.#begun = performance.now();
    }
    this.#run = progress;
    this.#tell();
  }

  rowsLeft(layer: number, rows: number): void {
    this.#left.set(layer, (this.#left.get(layer) ?? 0) + rows);
    this.#tell();
  }

  stageRan(): void {
    // Batches make no difference to the picture.
  }

  #tell(): void {
    if (this.#run === undefined) return;
    this.#show(
      labelProgressOf(this.#run, {
        layers: this.#layers,
        exitLayers: this.#exitLayers,
        limit: this.#limit,
        left: this.#left,
        resumed: this.#resumed,
        elapsedMs: performance.now() - this.#begun,
      }),
    );
  }
}
