import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { openRegularFile, readRegularFile } from '#pipeline/regular-file.js';
import { schemaProblem } from '#pipeline/schema-problem.js';
import { shownText } from '#pipeline/shown-text.js';
import { messageOf } from '#tokenizer/tokenizer-errors.js';
import type { Golden } from './golden.js';
import { goldenInconsistency, goldenSchema } from './golden.js';
import type { Manifest } from './manifest.js';
import { inconsistency } from './manifest-consistency.js';
import { manifestSchema } from './manifest.js';

/** A bundle that cannot be used, and why. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path}: ${shownText(problem)}`);
  }
}

/** A compiled model, its files' hashes checked. */
export interface Bundle {
  readonly directory: string;
  readonly manifest: Manifest;
  /** sha256 of bundle.json, which holds the hashes of all other files: it names the bundle. */
  readonly hash: string;
  readonly golden: Golden;
  /** Paths of the stages' graphs, in order. */
  readonly stageFiles: readonly string[];
}

/**
 * What a bundle is, by its bundle.json alone: its other files are not looked at.
 * @throws BundleError
 */
export async function readManifest(directory: string): Promise<Pick<Bundle, 'manifest' | 'hash'>> {
  const path = join(directory, 'bundle.json');
  const text = await readRegularFile(path).catch((error: Error) => {
    throw new BundleError(
      directory,
      `not a bundle: bundle.json cannot be read (${error.message}). Make one with: sluice compile`,
    );
  });
  const manifest = parseJson(path, text, manifestSchema);
  const problem = inconsistency(manifest);
  if (problem !== undefined) {
    throw new BundleError(path, `it contradicts itself: ${problem}. Compile the bundle again.`);
  }
  return { manifest, hash: createHash('sha256').update(text).digest('hex') };
}

/**
 * Opens a bundle and checks every file against its hash.
 * @throws BundleError
 */
export async function openBundle(directory: string): Promise<Bundle> {
  const { manifest, hash } = await readManifest(directory);
  const stageFiles = [];
  for (const file of [...manifest.stages, manifest.tokenizer, manifest.golden]) {
    const filePath = join(directory, file.file);
    const found = await hashFile(filePath);
    if (found !== file.sha256) {
      throw new BundleError(
        filePath,
        `its sha256 is ${found}, bundle.json says ${file.sha256}: the bundle is damaged. Compile or copy it again.`,
      );
    }
    if ('layers' in file) stageFiles.push(filePath);
  }
  const goldenPath = join(directory, manifest.golden.file);
  const golden = parseJson(goldenPath, await readText(goldenPath), goldenSchema);
  const gap = goldenInconsistency(golden, manifest);
  if (gap !== undefined) {
    throw new BundleError(goldenPath, `it does not fit the bundle: ${gap}. Compile the bundle again.`);
  }
  return {
    directory,
    manifest,
    hash,
    golden,
    stageFiles,
  };
}

function parseJson<T>(path: string, text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new BundleError(path, `not JSON: ${messageOf(error)}`);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new BundleError(path, `not what a bundle has: ${schemaProblem(parsed.error)}`);
  return parsed.data;
}

async function readText(path: string): Promise<string> {
  try {
    return await readRegularFile(path);
  } catch (error) {
    throw new BundleError(path, `cannot be read: ${messageOf(error)}`);
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    const file = await openRegularFile(path);
    await pipeline(file.createReadStream(), hash, { end: false });
  } catch (error) {
    throw new BundleError(path, `cannot be read: ${messageOf(error)}`);
  }
  return hash.digest('hex');
}
