import { rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { readRegularFile } from '#pipeline/regular-file.js';
import { makeFolder } from '#pipeline/run-directory/durable-write.js';
import { RunLock } from '#pipeline/run-directory/run-lock.js';
import { sha256IfRight } from './content-digest.js';
import { DiskSpaceError, PullStoppedError, PullTargetError, UnsafeNameError } from './download-errors.js';
import { downloadFile } from './download-file.js';
import { isPlainName } from './file-name.js';
import type { HubAccess } from './hub-access.js';
import { neededFiles } from './needed-files.js';
import { partPath } from './part-file.js';
import type { PullManifest } from './pull-manifest.js';
import { readManifest, writeManifest } from './pull-manifest.js';
import type { Repository } from './repository.js';
import type { RepositoryFile, RepositoryListing } from './repository-files.js';
import { checksumText, listRepository } from './repository-files.js';
import type { RetryHooks } from './retries.js';
import { shardsOf } from './shard-index.js';

export interface PullOptions extends RetryHooks {
  readonly repository: Repository;
  /** Where the files go. */
  readonly directory: string;
  /** Patterns of files to pull besides those that are needed. */
  readonly include: readonly string[];
  /** Another commit that was pulled to the directory may be replaced. */
  readonly force: boolean;
  readonly access: HubAccess;
  readonly onProgress: (progress: PullProgress) => void;
}

export interface PullProgress {
  readonly phase: 'checking' | 'pulling';
  /** That is worked on. */
  readonly file: string;
  /** Bytes that are here, of all files. */
  readonly bytes: number;
  /** Of these, the bytes that were here before. */
  readonly bytesKept: number;
  readonly totalBytes: number;
}

export interface PulledFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  /** Was here before. */
  readonly kept: boolean;
}

export interface PullResult {
  readonly commit: string;
  readonly files: readonly PulledFile[];
}

/**
 * Pulls what a model needs from a hub into a directory. All files are of one commit: that of the revision when the pull
 * began, also where it is gone on with later. The directory says in `.sluice-pull.json` what it holds.
 *
 * @throws PullTargetError, DiskSpaceError, PullStoppedError, those of `neededFiles`, of `downloadFile` and of the hub
 */
export async function pullModel(options: PullOptions): Promise<PullResult> {
  const { directory, signal } = options;
  const before = await usableManifest(options);
  try {
    const pinned =
      before?.complete === false && before.revision === options.repository.revision && !options.force;
    const revision = pinned ? before.commit : options.repository.revision;
    const listing = await listRepository(options.access, { ...options.repository, revision }, options);
    if (before !== undefined && before.commit !== listing.commit && !options.force) {
      throw new PullTargetError(
        directory,
        `holds commit ${before.commit} of ${before.repository} (${before.revision}), and ${options.repository.revision} is ${listing.commit} now. Choose another --out, or replace it with --force.`,
      );
    }
    const needed = neededFiles(options.repository.id, listing.names, options.include);
    const files = needed.names.map((name) => checkedFile(options.repository.id, listing, name));
    await makeFolder(directory);
    const lock = await RunLock.acquire(directory);
    try {
      await expectUnchanged(options, before);
      return await new Pull(options, listing, before).run(files, needed.index);
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (signal.aborted) throw new PullStoppedError(directory);
    throw error;
  }
}

async function usableManifest({ directory, repository }: PullOptions): Promise<PullManifest | undefined> {
  const manifest = await readManifest(directory);
  if (manifest === undefined || manifest.repository === repository.id) return manifest;
  throw new PullTargetError(directory, `holds ${manifest.repository}: choose another directory.`);
}

/** Now that the directory is locked: what was read before may have been another process's beginning. */
async function expectUnchanged(options: PullOptions, before: PullManifest | undefined): Promise<void> {
  const now = await usableManifest(options);
  if (now?.commit === before?.commit) return;
  throw new PullTargetError(options.directory, 'was pulled to by another process meanwhile: run this again.');
}

function checkedFile(repository: string, listing: RepositoryListing, name: string): RepositoryFile {
  if (!isPlainName(name)) throw new UnsafeNameError(repository, name);
  return listing.file(name);
}

/** One pull, from when it is known what to pull. */
class Pull {
  readonly #options: PullOptions;
  readonly #listing: RepositoryListing;
  readonly #before: PullManifest | undefined;
  readonly #done = new Map<string, PulledFile>();
  #files: readonly RepositoryFile[] = [];

  constructor(options: PullOptions, listing: RepositoryListing, before: PullManifest | undefined) {
    this.#options = options;
    this.#listing = listing;
    this.#before = before;
  }

  async run(files: readonly RepositoryFile[], index: string | undefined): Promise<PullResult> {
    this.#files = files;
    await this.#removeReplaced();
    if (index !== undefined) {
      await this.#record();
      await this.#obtain(files.filter(({ name }) => name === index));
      this.#files = [...files, ...(await this.#shards(index))];
    }
    await this.#record();
    await this.#obtain(this.#files.toSorted((a, b) => a.size - b.size));
    await this.#record(true);
    return {
      commit: this.#listing.commit,
      files: this.#files.map(({ name }) => this.#done.get(name)!),
    };
  }

  async #shards(index: string): Promise<RepositoryFile[]> {
    const { repository } = this.#options;
    const text = await readRegularFile(this.#path(index));
    const have = new Set(this.#files.map(({ name }) => name));
    return shardsOf(repository.id, index, text, this.#listing.names)
      .filter((name) => !have.has(name))
      .map((name) => checkedFile(repository.id, this.#listing, name));
  }

  /** Keeps the files that are here, and downloads the others. */
  async #obtain(files: readonly RepositoryFile[]): Promise<void> {
    const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
    let bytes = 0;
    const missing: RepositoryFile[] = [];
    for (const file of files) {
      this.#options.signal.throwIfAborted();
      this.#options.onProgress({ phase: 'checking', file: file.name, bytes, bytesKept: bytes, totalBytes });
      if (await this.#isHere(file)) bytes += file.size;
      else missing.push(file);
    }
    const begun = await this.#begun(missing);
    await this.#checkSpace(totalBytes - bytes - begun);
    const bytesKept = bytes + begun;
    const context = { ...this.#options, commit: this.#listing.commit };
    for (const file of missing) {
      const earlier = bytes;
      const sha256 = await downloadFile(file, this.#path(file.name), context, (here) => {
        bytes = earlier + here;
        this.#options.onProgress({ phase: 'pulling', file: file.name, bytes, bytesKept, totalBytes });
      });
      this.#done.set(file.name, { name: file.name, size: file.size, sha256, kept: false });
    }
  }

  async #isHere(file: RepositoryFile): Promise<boolean> {
    if (this.#done.has(file.name)) return true;
    const sha256 = await sha256IfRight(this.#path(file.name), file);
    if (sha256 === undefined) return false;
    this.#done.set(file.name, { name: file.name, size: file.size, sha256, kept: true });
    return true;
  }

  /** Bytes of files that an earlier pull left unfinished. */
  async #begun(files: readonly RepositoryFile[]): Promise<number> {
    let bytes = 0;
    for (const file of files) {
      const part = await stat(partPath(file, this.#path(file.name))).catch(() => undefined);
      if (part !== undefined && part.size <= file.size) bytes += part.size;
    }
    return bytes;
  }

  async #checkSpace(needed: number): Promise<void> {
    const { directory } = this.#options;
    const { bavail, bsize } = await statfs(directory);
    if (needed > bavail * bsize) throw new DiskSpaceError(directory, needed, bavail * bsize);
  }

  /** Before anything of another commit comes, what differs of the one that was here goes: never do two mix. */
  async #removeReplaced(): Promise<void> {
    if (this.#before === undefined || this.#before.commit === this.#listing.commit) return;
    for (const { name, checksum } of this.#before.files) {
      if (!this.#listing.has(name, checksum)) await rm(this.#path(name), { force: true });
    }
  }

  async #record(complete = false): Promise<void> {
    const { directory, repository } = this.#options;
    const files = this.#files.map(({ name, size, checksum }) => ({
      name,
      size,
      checksum: checksumText(checksum),
      sha256: this.#done.get(name)?.sha256,
    }));
    // What an earlier pull has brought with other patterns stays known.
    const names = new Set(files.map(({ name }) => name));
    const others = (this.#before?.files ?? []).filter(
      ({ name, checksum }) => !names.has(name) && this.#listing.has(name, checksum),
    );
    await writeManifest(directory, {
      version: 1,
      repository: repository.id,
      revision: repository.revision,
      commit: this.#listing.commit,
      complete,
      files: [...files, ...others],
    });
  }

  #path(name: string): string {
    return join(this.#options.directory, name);
  }
}
