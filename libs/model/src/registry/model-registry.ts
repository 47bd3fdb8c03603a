import { cp, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { makeFolder, writeDurably } from '#pipeline/run-directory/durable-write.js';
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

const VERSION = /^v([1-9]\d{0,8})$/;
const PROMOTED = 'promoted.json';
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
   * @throws NoSuchVersionError
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
    const partial = await mkdtemp(join(folder, '.partial-'));
    try {
      const made = join(partial, 'new');
      await cp(source, made, { recursive: true });
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

  /** Makes the version that was promoted before the one to use. @throws NoSuchVersionError where there is none */
  async rollBack(name: string): Promise<void> {
    await this.version(name);
    const folder = join(this.root, name);
    const history = (await readPromotions(folder)).slice(0, -1);
    if (history.length === 0) {
      throw new NoSuchVersionError(name, `No version of ${name} was promoted before the one in use.`);
    }
    await writePromotions(folder, history);
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

/** The number after the greatest that a folder in it has, whether it is a bundle or not. */
async function freeNumber(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).map((entry) => Number(VERSION.exec(entry)?.[1] ?? 0));
  return Math.max(0, ...numbers) + 1;
}

/** The version in use: the last that was promoted and is there; else the first that there is. */
function promotedOf(versions: readonly ModelVersion[], promotions: Promotions): number | undefined {
  const isThere = (version: number): boolean => versions.some((each) => each.version === version);
  return promotions.findLast(({ version }) => isThere(version))?.version ?? versions.at(-1)?.version;
}

async function readPromotions(folder: string): Promise<Promotions> {
  const text = await readFile(join(folder, PROMOTED), 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  return promotedSchema.parse(JSON.parse(text)).promoted;
}

async function writePromotions(folder: string, promotions: Promotions): Promise<void> {
  const promoted = promotions.slice(-MOST_PROMOTIONS);
  await writeDurably(join(folder, PROMOTED), `${JSON.stringify({ promoted }, null, 2)}\n`);
}
