import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder, withPath } from '#pipeline/run-directory/durable-write.js';
import { ContentDigest } from './content-digest.js';
import { ChecksumError, TooLongError } from './download-errors.js';
import { partSuffix } from './file-name.js';
import type { RepositoryFile } from './repository-files.js';

/**
 * A file on its way: `<name>.<start of its checksum>.part` beside where it will be. The checksum in the name tells the
 * part of one version from that of another, so no part is ever gone on with as something else.
 */
export class PartFile {
  readonly #file: RepositoryFile;
  readonly #target: string;
  readonly #path: string;
  readonly #handle: FileHandle;
  #digest: ContentDigest;
  #bytes = 0;
  #pieces = 0;

  private constructor(file: RepositoryFile, target: string, path: string, handle: FileHandle) {
    this.#file = file;
    this.#target = target;
    this.#path = path;
    this.#handle = handle;
    this.#digest = new ContentDigest(file);
  }

  /** Goes on with what an earlier process left. @param target where the whole file will be */
  static async open(file: RepositoryFile, target: string): Promise<PartFile> {
    const path = partPath(file, target);
    await makeFolder(dirname(target));
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT);
    try {
      const part = new PartFile(file, target, path, handle);
      await part.#takeOver();
      return part;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Bytes that are here. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes came in more than one answer, so a wrong checksum may be the joint's fault. */
  get isJoined(): boolean {
    return this.#pieces > 1;
  }

  /** The next blocks are of another answer. */
  beginPiece(): void {
    this.#pieces += 1;
  }

  /** @throws TooLongError where the file would become longer than its hub said */
  async append(block: Uint8Array): Promise<void> {
    if (this.#bytes + block.byteLength > this.#file.size) {
      throw new TooLongError(this.#file.name, this.#file.size);
    }
    try {
      for (let at = 0; at < block.byteLength;) {
        const { bytesWritten } = await this.#handle.write(block, at, block.byteLength - at, this.#bytes + at);
        at += bytesWritten;
      }
    } catch (error) {
      throw withPath(error, this.#path);
    }
    this.#digest.update(block);
    this.#bytes += block.byteLength;
  }

  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#digest = new ContentDigest(this.#file);
    this.#bytes = 0;
    this.#pieces = 0;
  }

  /**
   * Checks the whole content and gives the file its name. Parts of other versions go. @returns its sha256
   * @throws ChecksumError, and then the part is empty again
   */
  async finish(): Promise<string> {
    const { sha256, hex, right } = this.#digest.result();
    if (!right) {
      await this.restart();
      throw new ChecksumError(this.#file.name, this.#file.checksum, hex);
    }
    await this.#handle.sync();
    await rename(this.#path, this.#target);
    await removeParts(this.#target);
    return sha256;
  }

  /** Leaves what is there for the next time; nothing where nothing is. */
  async close(): Promise<void> {
    await this.#handle.close();
    if (this.#bytes === 0) await rm(this.#path, { force: true });
  }

  async #takeOver(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size > this.#file.size) {
      await this.restart();
      return;
    }
    if (size === 0) return;
    for await (const block of this.#handle.createReadStream({ autoClose: false, start: 0, end: size - 1 })) {
      this.#digest.update(block);
      this.#bytes += block.length;
    }
    this.#pieces = 1;
  }
}

/** Where a file is until it is whole. */
export function partPath({ checksum }: RepositoryFile, target: string): string {
  return `${target}.${checksum.hex.slice(0, 16)}${partSuffix}`;
}

async function removeParts(target: string): Promise<void> {
  const start = `${basename(target)}.`;
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(start) || !/^[0-9a-f]{16}\.part$/.test(name.slice(start.length))) continue;
    await rm(join(dirname(target), name), { force: true });
  }
}
