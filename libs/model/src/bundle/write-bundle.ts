import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '#pipeline/run-directory/durable-write.js';
import type { Manifest } from './manifest.js';

/** The place for a bundle is taken. */
export class BundleExistsError extends Error {
  override readonly name = 'BundleExistsError';
  constructor(
    readonly path: string,
    advice: string,
  ) {
    super(`${path} is already there. ${advice}`);
  }
}

/**
 * @param force lets a bundle be replaced, and nothing else
 * @throws BundleExistsError
 */
export async function refuseToOverwrite(out: string, force: boolean): Promise<void> {
  if (!(await isThere(out))) return;
  if (!force) throw new BundleExistsError(out, 'Choose another --out, or replace it with --force.');
  if (await isThere(join(out, 'bundle.json'))) return;
  throw new BundleExistsError(
    out,
    'It is no bundle (there is no bundle.json in it), so --force does not replace it; choose another --out.',
  );
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Writes a bundle's directory whole, beside its place, and then puts it there. What was there is kept until the new one
 * is complete. `files` are by name, without bundle.json.
 */
export async function writeBundle(
  out: string,
  files: ReadonlyMap<string, Buffer>,
  manifest: Manifest,
): Promise<void> {
  await makeFolder(dirname(out));
  const partial = await mkdtemp(`${out}.partial-`);
  try {
    const made = join(partial, 'new');
    await mkdir(made);
    for (const [name, bytes] of files) await writeFile(join(made, name), bytes, { flush: true });
    await writeFile(join(made, 'bundle.json'), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
    if (await isThere(out)) await rename(out, join(partial, 'old'));
    await rename(made, out);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
