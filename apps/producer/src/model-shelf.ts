import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bundle } from '#model/bundle/bundle.js';
import { openBundle } from '#model/bundle/bundle.js';
import { ApiError } from './api-errors.js';

/** A name of a bundle; no path. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u;

/** The bundles that runs may name. Each is opened, and its files hashed, once as long as it does not change. */
export class ModelShelf {
  readonly #root: string;
  readonly #open = new Map<string, { readonly stamp: string; readonly bundle: Promise<Bundle> }>();

  constructor(root: string) {
    this.#root = root;
  }

  /** @throws ApiError where there is no such bundle; BundleError where it is damaged */
  async bundle(name: string): Promise<Bundle> {
    const directory = join(this.#root, name);
    const file = NAME.test(name)
      ? await stat(join(directory, 'bundle.json')).catch(() => undefined)
      : undefined;
    if (file === undefined) {
      const names = (await this.names()).join(', ') || 'none';
      throw new ApiError(
        404,
        'no-such-model',
        `There is no model ${JSON.stringify(name)}. Models: ${names}.`,
      );
    }
    const stamp = `${file.ino}-${file.mtimeMs}-${file.size}`;
    const known = this.#open.get(name);
    if (known?.stamp === stamp) return known.bundle;
    const bundle = openBundle(directory);
    this.#open.set(name, { stamp, bundle });
    bundle.catch(() => this.#open.delete(name));
    return bundle;
  }

  async names(): Promise<string[]> {
    const found: string[] = [];
    for (const name of await readdir(this.#root).catch(() => [])) {
      const file = NAME.test(name)
        ? await stat(join(this.#root, name, 'bundle.json')).catch(() => undefined)
        : undefined;
      if (file !== undefined) found.push(name);
    }
    return found.sort();
  }
}
