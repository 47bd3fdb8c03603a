import type { Bundle } from '#model/bundle/bundle.js';
import { openBundle, readManifest } from '#model/bundle/bundle.js';
import { modelReference } from '#model/registry/model-name.js';
import type { ModelVersion } from '#model/registry/model-registry.js';
import { ModelRegistry, NoSuchVersionError } from '#model/registry/model-registry.js';
import { ApiError } from './api-errors.js';
import { UnchangedBundles } from './unchanged-bundles.js';

/** The bundles that runs may name. Each is opened, and its files hashed, once as long as it does not change. */
export class ModelShelf {
  readonly registry: ModelRegistry;
  readonly #open = new UnchangedBundles(openBundle);
  readonly #read = new UnchangedBundles(readManifest);

  constructor(root: string) {
    this.registry = new ModelRegistry(root);
  }

  /**
   * @param reference such as `topics`, which is its promoted version, or `topics@3`
   * @throws ApiError where there is no such bundle; BundleError where it is damaged
   */
  async bundle(reference: string): Promise<Bundle> {
    return this.bundleOf(await this.version(reference));
  }

  /** @throws ApiError where there is none */
  async version(reference: string): Promise<ModelVersion> {
    const { name, version } = modelReference(reference) ?? { name: reference };
    try {
      return await this.registry.version(name, version);
    } catch (error) {
      if (error instanceof NoSuchVersionError) throw new ApiError(404, 'no-such-model', error.message);
      throw error;
    }
  }

  /** @throws BundleError where it is damaged */
  bundleOf({ directory }: ModelVersion): Promise<Bundle> {
    return this.#open.of(directory);
  }

  /** What a version is, by its bundle.json alone. @throws BundleError */
  manifestOf({ directory }: ModelVersion): Promise<Pick<Bundle, 'manifest' | 'hash'>> {
    return this.#read.of(directory);
  }

  names(): Promise<string[]> {
    return this.registry.names();
  }
}
