import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { openRegularFile } from '#pipeline/regular-file.js';

/** SHA-256 of a file's bytes, read as a stream. @throws RegularFileError */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await openRegularFile(path);
  await pipeline(file.createReadStream(), hash, { end: false });
  return hash.digest('hex');
}
