import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readRegularFile } from '#pipeline/regular-file.js';
import { temporarySuffix, writeDurably } from '#pipeline/run-directory/durable-write.js';
import { isLockFile } from '#pipeline/run-directory/run-lock.js';
import { PullTargetError } from './download-errors.js';
import { isPlainName, manifestName } from './file-name.js';

const fileSchema = z.object({
  name: z.string().refine(isPlainName),
  size: z.int().nonnegative(),
  /** As the hub lists it, in the words of `checksumText`. */
  checksum: z.string(),
  /** Once the file is here. */
  sha256: z.string().optional(),
});

const manifestSchema = z.object({
  version: z.literal(1),
  repository: z.string(),
  /** As it was asked for. */
  revision: z.string(),
  /** What the revision stood for when the pull began. */
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  complete: z.boolean(),
  files: z.array(fileSchema),
});

/** Where the files of a directory come from: `.sluice-pull.json`, there from before the first file on. */
export type PullManifest = z.infer<typeof manifestSchema>;

/**
 * The manifest of a directory that a pull may write to; `undefined` where the directory is empty or not there.
 * @throws PullTargetError where it holds something else
 */
export async function readManifest(directory: string): Promise<PullManifest | undefined> {
  const names = await namesIn(directory);
  if (!names.includes(manifestName)) {
    const others = names.filter((name) => !isLockFile(name) && name !== manifestName + temporarySuffix);
    if (others.length === 0) return undefined;
    throw new PullTargetError(
      directory,
      'is not empty and was not pulled: choose a directory that is empty or not there.',
    );
  }
  const text = await readRegularFile(join(directory, manifestName));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new PullTargetError(
    directory,
    `has a ${manifestName} that cannot be read: choose another directory, or empty this one.`,
  );
}

export async function writeManifest(directory: string, manifest: PullManifest): Promise<void> {
  await writeDurably(join(directory, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') throw new PullTargetError(directory, 'is a file: choose another --out.');
    throw error;
  }
}
