import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The folder of shared checkpoints and data: `SLUICE_SHARED`, or `shared` beside the project. Undefined where there
 * is none: tests that need it skip then, and the test runner prints how many did.
 *
 * @throws Error in CI, where a skipped test would go unseen
 */
export const sharedFolder = find(process.env['SLUICE_SHARED'] ?? join(import.meta.dirname, '../../shared'));

function find(folder: string): string | undefined {
  if (existsSync(join(folder, 'models'))) return folder;
  if (process.env['CI'] === 'true') {
    throw new Error(
      `Expected the shared folder at ${folder}; it is not there. Set SLUICE_SHARED to its path.`,
    );
  }
  return undefined;
}
