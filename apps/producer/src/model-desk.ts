import type { Manifest } from '#model/bundle/manifest.js';
import type { WorkerCard } from '#queue/worker-registry.js';
import type { FleetLink } from './fleet-link.js';
import type { ModelShelf } from './model-shelf.js';

/** A bundle as the API tells of it. */
export interface ModelView extends Pick<
  Manifest,
  'labels' | 'task' | 'problem' | 'maxLength' | 'precision' | 'presets' | 'quality' | 'exits'
> {
  readonly name: string;
  /** Hash of its bundle.json, which names it. */
  readonly bundle: string;
  readonly layers: number;
  /** Layers of each stage, and the workers that serve it now. */
  readonly stages: readonly { readonly layers: readonly [number, number] | null; readonly workers: number }[];
}

/** Tells of the bundles that there are. */
export class ModelDesk {
  readonly #models: ModelShelf;
  readonly #fleet: FleetLink;

  constructor(models: ModelShelf, fleet: FleetLink) {
    this.#models = models;
    this.#fleet = fleet;
  }

  async list(): Promise<ModelView[]> {
    const views: ModelView[] = [];
    for (const name of await this.#models.names()) {
      const bundle = await this.#models.bundle(name).catch(() => undefined);
      if (bundle === undefined) continue;
      const workers = await this.#fleet.workersOf(bundle).catch((): WorkerCard[] => []);
      const { labels, task, problem, maxLength, precision, presets, quality, exits, geometry, stages } =
        bundle.manifest;
      views.push({
        name,
        bundle: bundle.hash,
        labels,
        task,
        problem,
        maxLength,
        precision,
        presets,
        quality,
        exits,
        layers: geometry.layers,
        stages: stages.map(({ layers }, stage) => ({
          layers,
          workers: workers.filter((worker) => worker.stages.some((each) => each.stage === stage)).length,
        })),
      });
    }
    return views;
  }
}
