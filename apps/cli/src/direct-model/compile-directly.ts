import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Bundle } from '#model/bundle/bundle.js';
import { openBundle } from '#model/bundle/bundle.js';
import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import { compileBundle } from '#model/compile/compile-bundle.js';
import { openModel, UnknownFormatError } from '#model/import/open-model.js';
import { UsageError } from '#run/usage-error.js';
import { version } from '../version.js';
import { BundleCache, cacheFolder } from './bundle-cache.js';

/** Enough that no two models meet; a path should be readable. */
const KEY_DIGITS = 32;

export interface DirectModel {
  /** Whether a second text of each row is given: most formats do not say whether a model is for pairs. */
  readonly pairs: boolean;
  readonly onNote: (note: string) => void;
}

/**
 * Compiles a model of any format that can be read, once, and keeps the bundle in the cache.
 * @throws as `openBundleOf`
 */
export async function compileDirectly(path: string, direct: DirectModel): Promise<Bundle> {
  let checkpoint: Checkpoint;
  try {
    checkpoint = await openModel(path);
  } catch (error) {
    // The error of a bundle that is none.
    if (error instanceof UnknownFormatError || !existsSync(path)) return openBundle(path);
    throw error;
  }
  try {
    return await compiledOnce(path, checkpoint, direct);
  } finally {
    await checkpoint.close();
  }
}

async function compiledOnce(
  path: string,
  checkpoint: Checkpoint,
  { pairs, onNote }: DirectModel,
): Promise<Bundle> {
  const { config, format } = checkpoint;
  if (config.exits.length === 0) {
    throw new UsageError(`${path} is a bare backbone, without a classifier: train it before it labels.`);
  }
  // A checkpoint of Sluice's says what it is for.
  const task = pairs && format !== 'Sluice' ? 'pair' : config.task;
  const name = basename(resolve(path));
  const key = await cacheKey(checkpoint, name, task);
  const cache = new BundleCache(cacheFolder(process.env));
  const kept = await cache.find(key, name);
  if (kept !== undefined) {
    onNote(`${path} (${format}) was compiled before: ${cache.place(key, name)}`);
    return kept;
  }
  onNote(
    `${path} (${format}) is compiled to float32, once; kept in ${cache.place(key, name)}. int8 is faster: sluice compile --help`,
  );
  return cache.add(key, name, (out) =>
    compileBundle({
      checkpoint: path,
      out,
      force: false,
      precision: 'fp32',
      task,
      minAgreement: 1,
      tool: `sluice ${version}`,
    }),
  );
}

/** Of everything that the bundle comes from. */
async function cacheKey(checkpoint: Checkpoint, name: string, task: string): Promise<string> {
  const tokenizer = createHash('sha256')
    .update(JSON.stringify(await checkpoint.tokenizer()))
    .digest('hex');
  return createHash('sha256')
    .update(JSON.stringify([version, checkpoint.sha256, tokenizer, name, task, 'fp32']))
    .digest('hex')
    .slice(0, KEY_DIGITS);
}
