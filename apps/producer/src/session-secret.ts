import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = '.session-secret';
const BYTES = 32;

/**
 * What signs the sessions of browsers: random, made by the first producer and kept, for those that share the folder, where
 * nobody else can read it.
 * @param folder of the runs
 */
export async function sessionSecret(folder: string): Promise<Buffer> {
  const path = join(folder, NAME);
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, randomBytes(BYTES), { mode: 0o600, flag: 'wx' });
    // Whole, and only where there is none: several producers may start at the same time.
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(temporary, { force: true });
  }
  const secret = await readFile(path);
  if (secret.length === BYTES) return secret;
  throw new Error(
    `${path} must hold ${BYTES} bytes, and has ${secret.length}. Delete it: browsers sign in again then.`,
  );
}
