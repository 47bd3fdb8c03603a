import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere, writeWholeDirectory } from '../whole-directory.js';
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

/** Writes a bundle's directory whole. `files` are by name, without bundle.json. */
export async function writeBundle(
  out: string,
  files: ReadonlyMap<string, Buffer>,
  manifest: Manifest,
): Promise<void> {
  await writeWholeDirectory(out, async (directory) => {
    for (const [name, bytes] of files) await writeFile(join(directory, name), bytes, { flush: true });
    await writeFile(join(directory, 'bundle.json'), `${JSON.stringify(manifest, null, 2)}\n`, {
      flush: true,
    });
  });
}
