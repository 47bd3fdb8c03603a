import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Bundle } from '#model/bundle/bundle.js';
import { BundleError, openBundle } from '#model/bundle/bundle.js';
import { makeFolder } from '#pipeline/run-directory/durable-write.js';

/** Bundles that nobody used for so long are removed when another one is added. */
const KEPT_DAYS = 30;
/** What is half made and older than this is nobody's work any more. */
const HALF_MADE_DAYS = 1;
const DAY_MS = 86_400_000;
const HALF_MADE = 'making-';

/** The folder of the cache cannot be used. */
export class BundleCacheError extends Error {
  override readonly name = 'BundleCacheError';
  constructor(
    readonly folder: string,
    cause: Error,
  ) {
    super(
      `The compiled model cannot be kept in ${folder}: ${cause.message}. Set SLUICE_CACHE to a folder that may be written to, or compile the model with: sluice compile`,
      { cause },
    );
  }
}

/** `$SLUICE_CACHE`, or `sluice` in the user's folder for caches. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return env['SLUICE_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sluice');
}

/**
 * Bundles that were compiled on the way, one folder for each key. Its size is bounded by time: what was not used for
 * 30 days goes. It may be removed at any time. Processes that add the same bundle at once do not disturb each other: the
 * first one's is kept.
 */
export class BundleCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = join(folder, 'bundles');
  }

  /** Where the bundle of a key lies, once it is there. @param name of the bundle */
  place(key: string, name: string): string {
    return join(this.#folder, key, name);
  }

  /** @returns `undefined` where there is none, or it is damaged */
  async find(key: string, name: string): Promise<Bundle | undefined> {
    const now = new Date();
    try {
      const bundle = await openBundle(this.place(key, name));
      await utimes(join(this.#folder, key), now, now).catch(() => undefined);
      return bundle;
    } catch (error) {
      if (error instanceof BundleError) return undefined;
      throw error;
    }
  }

  /** Adds a bundle. @param compile writes it to a directory that is not there yet @throws BundleCacheError */
  async add(key: string, name: string, compile: (out: string) => Promise<unknown>): Promise<Bundle> {
    const making = await this.#makeRoom();
    try {
      await compile(join(making, name));
      await this.#put(making, key, name);
    } finally {
      await rm(making, { recursive: true, force: true });
    }
    return openBundle(this.place(key, name));
  }

  /** Gives a finished bundle its place, unless another process was as quick. */
  async #put(making: string, key: string, name: string): Promise<void> {
    const place = join(this.#folder, key);
    try {
      await rename(making, place);
    } catch (error) {
      if ((await this.find(key, name)) !== undefined) return;
      if (!existsSync(place)) throw error;
      // What is there is damaged.
      await rm(place, { recursive: true, force: true });
      await rename(making, place);
    }
  }

  async #makeRoom(): Promise<string> {
    try {
      await makeFolder(this.#folder);
      await this.#removeUnused();
      return await mkdtemp(join(this.#folder, HALF_MADE));
    } catch (error) {
      throw error instanceof Error ? new BundleCacheError(this.#folder, error) : error;
    }
  }

  async #removeUnused(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const usedAt = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now();
      const days = name.startsWith(HALF_MADE) ? HALF_MADE_DAYS : KEPT_DAYS;
      if (Date.now() - usedAt > days * DAY_MS) await rm(path, { recursive: true, force: true });
    }
  }
}
