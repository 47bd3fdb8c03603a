import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { openRegularFile } from '#pipeline/regular-file.js';
import type { RepositoryFile } from './repository-files.js';

/** Hashes a file's content as its hub does, block by block, and with sha256 in any case. */
export class ContentDigest {
  readonly #file: RepositoryFile;
  readonly #sha256 = createHash('sha256');
  readonly #git: Hash | undefined;

  constructor(file: RepositoryFile) {
    this.#file = file;
    // Git hashes a blob with its kind and size before it: `blob 12\0…`.
    if (file.checksum.kind === 'git-sha1') this.#git = createHash('sha1').update(`blob ${file.size}\0`);
  }

  update(block: Uint8Array): void {
    this.#sha256.update(block);
    this.#git?.update(block);
  }

  /** Ends the digest. */
  result(): { readonly sha256: string; readonly hex: string; readonly right: boolean } {
    const sha256 = this.#sha256.digest('hex');
    const hex = this.#git?.digest('hex') ?? sha256;
    return { sha256, hex, right: hex === this.#file.checksum.hex };
  }
}

/** The sha256 of a file on disk whose content is that of the repository's; `undefined` where it is not, or not there. */
export async function sha256IfRight(path: string, file: RepositoryFile): Promise<string | undefined> {
  let handle;
  try {
    handle = await openRegularFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    if ((await handle.stat()).size !== file.size) return undefined;
    const digest = new ContentDigest(file);
    for await (const block of handle.createReadStream({ autoClose: false })) digest.update(block);
    const { sha256, right } = digest.result();
    return right ? sha256 : undefined;
  } finally {
    await handle.close();
  }
}
