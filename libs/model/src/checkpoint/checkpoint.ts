import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openRegularFile, readRegularFile } from '#pipeline/regular-file.js';
import { messageOf } from '#tokenizer/tokenizer-errors.js';
import type { CheckpointConfig } from './checkpoint-config.js';
import { CheckpointError, parseCheckpointConfig } from './checkpoint-config.js';
import { Safetensors } from './safetensors.js';

/** An open checkpoint directory: its configuration, and its tensors on demand. */
export class Checkpoint {
  readonly directory: string;
  readonly config: CheckpointConfig;
  /** Over config.json and model.safetensors. */
  readonly sha256: string;
  readonly #tensors: Safetensors;
  readonly #prefix: string;

  private constructor(directory: string, config: CheckpointConfig, sha256: string, tensors: Safetensors) {
    this.directory = directory;
    this.config = config;
    this.sha256 = sha256;
    this.#tensors = tensors;
    this.#prefix = tensors.shape('bert.embeddings.word_embeddings.weight') === undefined ? '' : 'bert.';
  }

  /** @throws CheckpointError, SafetensorsError */
  static async open(directory: string): Promise<Checkpoint> {
    const configPath = join(directory, 'config.json');
    let text: string;
    try {
      text = await readRegularFile(configPath);
    } catch (error) {
      throw new CheckpointError(
        directory,
        `not a checkpoint: config.json cannot be read (${messageOf(error)}).`,
      );
    }
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      throw new CheckpointError(configPath, `not JSON: ${messageOf(error)}.`);
    }
    const config = parseCheckpointConfig(configPath, json);
    const weightsPath = join(directory, 'model.safetensors');
    let tensors: Safetensors;
    try {
      tensors = await Safetensors.open(weightsPath);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      throw new CheckpointError(directory, 'not a checkpoint: there is no model.safetensors.');
    }
    try {
      const hash = createHash('sha256').update(text);
      const file = await openRegularFile(weightsPath);
      await pipeline(file.createReadStream(), hash, { end: false });
      return new Checkpoint(directory, config, hash.digest('hex'), tensors);
    } catch (error) {
      await tensors.close();
      throw error;
    }
  }

  /**
   * A tensor of the encoder, named without the `bert.` prefix; `LayerNorm.weight` is also found as `LayerNorm.gamma`.
   * @throws CheckpointError when it is missing, misshapen or not finite
   */
  encoder(name: string, shape: readonly number[]): Promise<Float32Array> {
    const full = this.#prefix + name;
    const old = full
      .replace(/LayerNorm\.weight$/, 'LayerNorm.gamma')
      .replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
    return this.#read(this.#tensors.shape(full) === undefined ? [old, full] : [full], shape);
  }

  /** A tensor of the exit after a layer, such as `narrow.weight`. @throws CheckpointError */
  exit(layer: number, part: string, shape: readonly number[]): Promise<Float32Array> {
    if (this.config.layout === 'sluice') return this.#read([`exits.${layer}.${part}`], shape);
    const name = part.startsWith('pooler.')
      ? part.replace('pooler', `${this.#prefix}pooler.dense`)
      : part.replace('logits', 'classifier');
    return this.#read([name], shape);
  }

  async close(): Promise<void> {
    await this.#tensors.close();
  }

  async #read(names: readonly string[], shape: readonly number[]): Promise<Float32Array> {
    const name = names.find((candidate) => this.#tensors.shape(candidate) !== undefined);
    if (name === undefined) {
      throw new CheckpointError(this.#tensors.path, `tensor '${String(names.at(-1))}' is missing.`);
    }
    const found = this.#tensors.shape(name)!;
    if (found.join() !== shape.join()) {
      throw new CheckpointError(
        this.#tensors.path,
        `tensor '${name}' is [${found.join(', ')}]; config.json asks for [${shape.join(', ')}].`,
      );
    }
    const values = await this.#tensors.read(name);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new CheckpointError(
        this.#tensors.path,
        `tensor '${name}' holds ${String(values[bad])} at position ${bad}; weights must be finite.`,
      );
    }
    return values;
  }
}
