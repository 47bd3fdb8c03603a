import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '#pipeline/run-directory/durable-write.js';

export function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Makes a directory that appears whole or not at all: it is filled beside its place, and then put there. What was there
 * is kept until the new one is complete.
 */
export async function writeWholeDirectory(
  out: string,
  fill: (directory: string) => Promise<void>,
): Promise<void> {
  await makeFolder(dirname(out));
  const partial = await mkdtemp(`${out}.partial-`);
  try {
    const made = join(partial, 'new');
    await mkdir(made);
    await fill(made);
    if (await isThere(out)) await rename(out, join(partial, 'old'));
    await rename(made, out);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
