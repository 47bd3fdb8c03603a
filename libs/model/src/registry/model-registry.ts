import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { makeFolder, syncFolder, writeDurably } from '#pipeline/run-directory/durable-write.js';
import { isModelName } from './model-name.js';

/** One version of a model: a bundle. */
export interface ModelVersion {
  /** From 1; 0 is a bundle that lies in the model's folder itself. */
  readonly version: number;
  readonly directory: string;
  readonly createdAt: Date;
}

/** There is no such model, or no such version of it. */
export class NoSuchVersionError extends Error {
  override readonly name = 'NoSuchVersionError';

  constructor(
    readonly model: string,
    message: string,
  ) {
    super(message);
  }
}

/** What is known of the promotions of a model is damaged: any version that is taken in their place may be a wrong one. */
export class PromotionsError extends Error {
  override readonly name = 'PromotionsError';

  constructor(folder: string, why: string) {
    const model = basename(resolve(folder));
    super(
      `${PROMOTED} of the model ${model} cannot be read (${why}): it says which version is in use. Put it back from a ` +
        'copy, or delete it; without it the first version is in use until another one is promoted.',
    );
  }
}

const VERSION = /^v([1-9]\d{0,8})$/;
const PROMOTED = 'promoted.json';
const PARTIAL = '.partial-';
/** A copy that nobody goes on with. */
const LEFT_AFTER_MS = 60 * 60 * 1000;
/** Of a model, kept so that each may be rolled back. */
const MOST_PROMOTIONS = 100;

/** The versions that were promoted, the latest last. */
const promotedSchema = z.object({
  promoted: z.array(z.object({ version: z.int().nonnegative(), at: z.string() })).min(1),
});
type Promotions = z.infer<typeof promotedSchema>['promoted'];

/**
 * The models of a folder. Each is a folder with its versions `v1`, `v2`, …, which are bundles that never change, and
 * `promoted.json`, which says the one to use. A bundle that lies in the model's folder itself is its version 0.
 */
export class ModelRegistry {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Names of the models that have a version. */
  async names(): Promise<string[]> {
    const names = (await readdir(this.root).catch(() => [])).filter(isModelName);
    const found = await Promise.all(names.map(async (name) => (await this.versions(name)).length > 0));
    return names.filter((_, index) => found[index]).sort();
  }

  /** The newest first; none where there is no such model. */
  async versions(name: string): Promise<ModelVersion[]> {
    if (!isModelName(name)) return [];
    return versionsIn(join(this.root, name));
  }

  /**
   * @param version undefined: the one that is promoted
   * @throws NoSuchVersionError, PromotionsError
   */
  async version(name: string, version?: number): Promise<ModelVersion> {
    const versions = await this.versions(name);
    if (versions.length === 0) {
      const names = (await this.names()).join(', ') || 'none';
      throw new NoSuchVersionError(name, `There is no model ${JSON.stringify(name)}. Models: ${names}.`);
    }
    const wanted = version ?? promotedOf(versions, await readPromotions(join(this.root, name)));
    const found = versions.find((each) => each.version === wanted);
    if (found === undefined) {
      const known = versions.map((each) => each.version).join(', ');
      throw new NoSuchVersionError(name, `${name} has no version ${wanted}. Versions: ${known}.`);
    }
    return found;
  }

  /**
   * Adds a bundle as a new version, which appears whole or not at all. It is in use at once where it is the first.
   * @param source directory that is copied
   * @throws NoSuchVersionError for what cannot be a name
   */
  async add(name: string, source: string): Promise<ModelVersion> {
    if (!isModelName(name))
      throw new NoSuchVersionError(name, `A model cannot be called ${JSON.stringify(name)}.`);
    const folder = join(this.root, name);
    await makeFolder(folder);
    await removeLeft(folder);
    const partial = await mkdtemp(join(folder, PARTIAL));
    try {
      const made = join(partial, 'new');
      await cp(source, made, { recursive: true });
      await syncFiles(made);
      for (;;) {
        const version = await freeNumber(folder);
        const directory = join(folder, `v${version}`);
        // Another may have taken the number meanwhile: a folder with something in it is not renamed onto.
        const isMine = await rename(made, directory).then(
          () => true,
          (error: NodeJS.ErrnoException) => {
            if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') return false;
            throw error;
          },
        );
        if (!isMine) continue;
        return { version, directory, createdAt: (await stat(directory)).mtime };
      }
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }

  /** Makes a version the one to use. @throws NoSuchVersionError */
  async promote(name: string, version: number): Promise<void> {
    await this.version(name, version);
    const folder = join(this.root, name);
    const used = await this.version(name);
    const history = await readPromotions(folder);
    if (history.at(-1)?.version === version) return;
    // One that was in use without having been promoted can be rolled back to as well.
    const first = { version: used.version, at: used.createdAt.toISOString() };
    const before = history.length > 0 || used.version === version ? history : [first];
    await writePromotions(folder, [...before, { version, at: new Date().toISOString() }]);
  }

  /** The version that a roll-back makes the one to use. @throws NoSuchVersionError where there is none */
  async versionBefore(name: string): Promise<ModelVersion> {
    return (await this.#before(name)).version;
  }

  /** Makes the version that was promoted before the one to use. @throws NoSuchVersionError where there is none */
  async rollBack(name: string): Promise<void> {
    await writePromotions(join(this.root, name), (await this.#before(name)).history);
  }

  /** The last promotion of another version than the one in use, of those that are still there. */
  async #before(name: string): Promise<{ readonly version: ModelVersion; readonly history: Promotions }> {
    const used = await this.version(name);
    const history = await readPromotions(join(this.root, name));
    const others = (await this.versions(name)).filter(({ version }) => version !== used.version);
    const at = history.findLastIndex(({ version }) => others.some((other) => other.version === version));
    const version = others.find((other) => other.version === history[at]?.version);
    if (version === undefined) {
      throw new NoSuchVersionError(name, `No version of ${name} was promoted before the one in use.`);
    }
    return { version, history: history.slice(0, at + 1) };
  }
}

/**
 * The bundle that a path means: that of the promoted version, where the path is a model's folder with versions.
 * @param path of a bundle, or of a model's folder
 */
export async function bundleDirectory(path: string): Promise<string> {
  const versions = await versionsIn(path);
  const promoted = promotedOf(versions, await readPromotions(path));
  return versions.find(({ version }) => version === promoted)?.directory ?? path;
}

async function versionsIn(folder: string): Promise<ModelVersion[]> {
  const entries = await readdir(folder).catch(() => []);
  const versions: ModelVersion[] = [];
  for (const entry of entries) {
    const number = entry === 'bundle.json' ? 0 : Number(VERSION.exec(entry)?.[1] ?? Number.NaN);
    if (Number.isNaN(number)) continue;
    const directory = number === 0 ? folder : join(folder, entry);
    const file = await stat(join(directory, 'bundle.json')).catch(() => undefined);
    if (file !== undefined) versions.push({ version: number, directory, createdAt: file.mtime });
  }
  return versions.sort((a, b) => b.version - a.version);
}

/** What a process that was killed was about to add. */
async function removeLeft(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(PARTIAL)) continue;
    const path = join(folder, entry);
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > LEFT_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}

/** A version that has its name is whole, after a loss of power as well. */
async function syncFiles(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const file = await open(join(entry.parentPath, entry.name), 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
  await syncFolder(folder);
}

/**
 * The number after the greatest that a folder in it has, whether it is a bundle or not, or that was promoted: a new version
 * with the number of one that was deleted would be in use at once.
 */
async function freeNumber(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).map((entry) => Number(VERSION.exec(entry)?.[1] ?? 0));
  const promoted = (await readPromotions(folder)).map(({ version }) => version);
  return Math.max(0, ...numbers, ...promoted) + 1;
}

/** The version in use: the last that was promoted and is there; else the first that there is. */
function promotedOf(versions: readonly ModelVersion[], promotions: Promotions): number | undefined {
  const isThere = (version: number): boolean => versions.some((each) => each.version === version);
  return promotions.findLast(({ version }) => isThere(version))?.version ?? versions.at(-1)?.version;
}

/** None where none was promoted yet. @throws PromotionsError */
async function readPromotions(folder: string): Promise<Promotions> {
  let text: string;
  try {
    text = await readFile(join(folder, PROMOTED), 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    // A path of a file has no promotions either.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new PromotionsError(folder, code);
  }
  try {
    return promotedSchema.parse(JSON.parse(text)).promoted;
  } catch {
    throw new PromotionsError(folder, 'it is damaged');
  }
}

async function writePromotions(folder: string, promotions: Promotions): Promise<void> {
  const promoted = promotions.slice(-MOST_PROMOTIONS);
  const path = join(folder, PROMOTED);
  // Several may promote at the same time: the last one counts.
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await writeDurably(path, `${JSON.stringify({ promoted }, null, 2)}\n`, undefined, temporary);
}
