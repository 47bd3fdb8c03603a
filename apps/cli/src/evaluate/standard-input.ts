import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StandardInput } from '#corpus/corpus-options.js';

/** Gives `use` standard input, where a path is `-`; it is kept in a temporary file that long. */
export async function withStandardInput<T>(
  paths: readonly string[],
  use: (stdin: StandardInput | undefined) => Promise<T>,
): Promise<T> {
  if (!paths.includes('-')) return use(undefined);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-'));
  try {
    return await use({ stream: process.stdin, spoolPath: join(folder, 'input') });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
