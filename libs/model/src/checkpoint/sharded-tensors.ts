import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { schemaProblem } from '#pipeline/schema-problem.js';
import { readJson } from '../import/read-json.js';
import { CheckpointError } from './checkpoint-config.js';
import type { TensorSource } from './tensor-source.js';

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** More than any model has; all are open at once. */
const MOST_SHARDS = 1000;

/**
 * Tensors of several weight files, as Hugging Face's `model.safetensors.index.json` or `pytorch_model.bin.index.json` tells
 * which is in which.
 */
export class ShardedTensors implements TensorSource {
  readonly path: string;
  readonly #shards: ReadonlyMap<string, TensorSource>;
  /** File of each tensor. */
  readonly #fileOf: ReadonlyMap<string, string>;

  private constructor(
    path: string,
    shards: ReadonlyMap<string, TensorSource>,
    fileOf: ReadonlyMap<string, string>,
  ) {
    this.path = path;
    this.#shards = shards;
    this.#fileOf = fileOf;
  }

  /**
   * @param path of the index
   * @param open a shard of its folder
   * @throws CheckpointError where a shard or one of its tensors is missing, and what `open` throws
   */
  static async open(path: string, open: (path: string) => Promise<TensorSource>): Promise<ShardedTensors> {
    const parsed = indexSchema.safeParse((await readJson(path)).json);
    if (!parsed.success) {
      throw new CheckpointError(path, `not an index of weight files: ${schemaProblem(parsed.error)}`);
    }
    const fileOf = new Map(Object.entries(parsed.data.weight_map));
    const files = new Set(fileOf.values());
    if (files.size > MOST_SHARDS) {
      throw new CheckpointError(path, `names ${files.size} files; at most ${MOST_SHARDS} are opened.`);
    }
    const shards = new Map<string, TensorSource>();
    try {
      for (const file of files) shards.set(file, await openShard(path, file, open));
      for (const [name, file] of fileOf) {
        if (shards.get(file)!.shape(name) === undefined) {
          throw new CheckpointError(
            path,
            `tensor '${name}' is said to be in ${file}, which does not have it.`,
          );
        }
      }
    } catch (error) {
      for (const shard of shards.values()) await shard.close();
      throw error;
    }
    return new ShardedTensors(path, shards, fileOf);
  }

  get description(): string {
    const kinds = new Set(Array.from(this.#shards.values(), ({ description }) => description));
    return `${this.#shards.size} files of ${[...kinds].join('; ')}`;
  }

  names(): readonly string[] {
    return [...this.#fileOf.keys()];
  }

  shape(name: string): readonly number[] | undefined {
    return this.#shardOf(name)?.shape(name);
  }

  /** @throws CheckpointError where there is no such tensor, and what its shard throws */
  async read(name: string, memory?: Float32Array): Promise<Float32Array> {
    const shard = this.#shardOf(name);
    if (shard === undefined) throw new CheckpointError(this.path, `there is no tensor '${name}'.`);
    return shard.read(name, memory);
  }

  async sha256(): Promise<string> {
    const hash = createHash('sha256');
    for (const file of [...this.#shards.keys()].sort()) hash.update(await this.#shards.get(file)!.sha256());
    return hash.digest('hex');
  }

  async close(): Promise<void> {
    for (const shard of this.#shards.values()) await shard.close();
  }

  #shardOf(name: string): TensorSource | undefined {
    const file = this.#fileOf.get(name);
    return file === undefined ? undefined : this.#shards.get(file);
  }
}

/** A shard lies beside its index: a path that leads elsewhere is none of the model's. */
async function openShard(
  path: string,
  file: string,
  open: (path: string) => Promise<TensorSource>,
): Promise<TensorSource> {
  if (file !== basename(file) || ['', '.', '..'].includes(file) || /[\\\0]/.test(file)) {
    throw new CheckpointError(path, `names the file ${JSON.stringify(file)}; only files beside it are read.`);
  }
  try {
    return await open(join(dirname(path), file));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new CheckpointError(path, `names the file ${file}, which is missing.`);
  }
}
