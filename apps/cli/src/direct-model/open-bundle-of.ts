import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle } from '#model/bundle/bundle.js';
import { openBundle } from '#model/bundle/bundle.js';
import { bundleDirectory } from '#model/registry/model-registry.js';
import type { DirectModel } from './compile-directly.js';

/** Of `--model`. */
export const modelHelp = 'directory of a compiled bundle, or a model that sluice import reads';

/**
 * Opens a bundle, or a model of any format that can be read, which is compiled to float32 first: once, and kept in the
 * cache.
 *
 * @param path of the bundle's or model's directory, or of the model's weight file
 * @throws BundleError, BundleCacheError, UsageError for a bare backbone, and what compileBundle throws
 */
export async function openBundleOf(path: string, direct: DirectModel): Promise<Bundle> {
  const directory = await bundleDirectory(path);
  if (existsSync(join(directory, 'bundle.json'))) return openBundle(directory);
  // Readers of models and the compiler take as long to load as all else: who has a bundle needs none of them.
  const { compileDirectly } = await import('./compile-directly.js');
  return compileDirectly(path, direct);
}
