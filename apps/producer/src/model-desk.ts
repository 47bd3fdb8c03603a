import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '#model/bundle/manifest.js';
import { versionName } from '#model/registry/model-name.js';
import type { ModelVersion } from '#model/registry/model-registry.js';
import { NoSuchVersionError } from '#model/registry/model-registry.js';
import type { WorkerCard } from '#queue/worker-registry.js';
import { ApiError } from './api-errors.js';
import type { FleetLink } from './fleet-link.js';
import type { ModelShelf } from './model-shelf.js';

/** A version of a model as the API tells of it. */
export interface VersionView extends Pick<Manifest, 'precision' | 'quality'> {
  readonly version: number;
  /** Hash of its bundle.json, which names it. */
  readonly bundle: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Whether runs take it that name none. */
  readonly promoted: boolean;
  /** That serve it now, any stage of it. */
  readonly workers: number;
  readonly hasCard: boolean;
  readonly hasEvaluation: boolean;
}

/** A model as the API tells of it; what is not of a version is that of the promoted one. */
export interface ModelView extends Pick<
  Manifest,
  'labels' | 'task' | 'problem' | 'maxLength' | 'precision' | 'presets' | 'quality' | 'exits'
> {
  readonly name: string;
  readonly version: number;
  /** Hash of its bundle.json, which names it. */
  readonly bundle: string;
  readonly layers: number;
  /** Layers of each stage, and the workers that serve it now. */
  readonly stages: readonly { readonly layers: readonly [number, number] | null; readonly workers: number }[];
  /** The newest first. */
  readonly versions: readonly VersionView[];
}

/** What belongs to a version beside its bundle: where it lies in its folder, and what it is. */
const extras = {
  card: { file: 'README.md', type: 'text/markdown; charset=utf-8' },
  evaluation: { file: join('evaluation', 'evaluation.json'), type: 'application/json' },
} as const;
export type VersionExtra = keyof typeof extras;

/** Tells of the models that there are, and changes which of their versions runs take. */
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
      const view = await this.view(name).catch(() => undefined);
      if (view !== undefined) views.push(view);
    }
    return views;
  }

  /** @throws ApiError where there is none; BundleError where the promoted version is damaged */
  async view(name: string): Promise<ModelView> {
    const promoted = await this.#models.version(name);
    const bundle = await this.#models.bundleOf(promoted);
    const { labels, task, problem, maxLength, precision, presets, quality, exits, geometry, stages } =
      bundle.manifest;
    const all = await this.#fleet.workers().catch((): WorkerCard[] => []);
    const workers = all.filter((worker) => worker.bundle === bundle.hash);
    const versions: VersionView[] = [];
    for (const version of await this.#models.registry.versions(name)) {
      const view = await this.#versionView(version, promoted, all).catch(() => undefined);
      if (view !== undefined) versions.push(view);
    }
    return {
      name,
      version: promoted.version,
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
      versions,
    };
  }

  /** @throws ApiError where there is no such version */
  async promote(name: string, version: number): Promise<ModelView> {
    await this.#expectUsable(name, await this.#models.version(versionName(name, version)));
    await this.#models.registry.promote(name, version);
    return this.view(name);
  }

  /** @throws ApiError where none was promoted before */
  async rollBack(name: string): Promise<ModelView> {
    await this.#models.version(name);
    try {
      await this.#expectUsable(name, await this.#models.registry.versionBefore(name));
      await this.#models.registry.rollBack(name);
    } catch (error) {
      if (error instanceof NoSuchVersionError) throw new ApiError(409, 'nothing-before', error.message);
      throw error;
    }
    return this.view(name);
  }

  /** Where a file beside a bundle is. @throws ApiError where the version has none */
  async extra(
    name: string,
    version: number,
    what: VersionExtra,
  ): Promise<{ readonly path: string; readonly type: string }> {
    const { directory } = await this.#models.version(versionName(name, version));
    const { file, type } = extras[what];
    const path = join(directory, file);
    if (await isFile(path)) return { path, type };
    throw new ApiError(404, `no-${what}`, `Version ${version} of ${name} has no ${what}.`);
  }

  /** @throws ApiError */
  async #expectUsable(name: string, version: ModelVersion): Promise<void> {
    await this.#models.bundleOf(version).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new ApiError(409, 'damaged', `Version ${version.version} of ${name} cannot be used: ${why}`);
    });
  }

  async #versionView(
    version: ModelVersion,
    promoted: ModelVersion,
    workers: readonly WorkerCard[],
  ): Promise<VersionView> {
    const { manifest, hash } = await this.#models.manifestOf(version);
    const { precision, quality } = manifest;
    return {
      version: version.version,
      bundle: hash,
      createdAt: version.createdAt.toISOString(),
      promoted: version.version === promoted.version,
      precision,
      quality,
      workers: workers.filter(({ bundle }) => bundle === hash).length,
      hasCard: await isFile(join(version.directory, extras.card.file)),
      hasEvaluation: await isFile(join(version.directory, extras.evaluation.file)),
    };
  }
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
