import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bundle } from '#model/bundle/bundle.js';
import { openBundle } from '#model/bundle/bundle.js';
import { modelReference } from '#model/registry/model-name.js';
import type { ModelVersion } from '#model/registry/model-registry.js';
import { ModelRegistry, NoSuchVersionError } from '#model/registry/model-registry.js';
import { ApiError } from './api-errors.js';

/** The bundles that runs may name. Each is opened, and its files hashed, once as long as it does not change. */
export class ModelShelf {
  readonly registry: ModelRegistry;
  readonly #open = new Map<string, { readonly stamp: string; readonly bundle: Promise<Bundle> }>();

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
  async bundleOf({ directory }: ModelVersion): Promise<Bundle> {
    const file = await stat(join(directory, 'bundle.json'));
    const stamp = `${file.ino}-${file.mtimeMs}-${file.size}`;
    const known = this.#open.get(directory);
    if (known?.stamp === stamp) return known.bundle;
    const bundle = openBundle(directory);
    this.#open.set(directory, { stamp, bundle });
    bundle.catch(() => this.#open.delete(directory));
    return bundle;
  }

  /** Hash of a version's bundle.json, which names its bundle; its other files are not looked at. */
  async hashOf({ directory }: ModelVersion): Promise<string> {
    const text = await readFile(join(directory, 'bundle.json'));
    return createHash('sha256').update(text).digest('hex');
  }

  names(): Promise<string[]> {
    return this.registry.names();
  }
}
