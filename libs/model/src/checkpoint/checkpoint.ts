import { createHash } from 'node:crypto';
import type { TokenizerJson } from '#tokenizer/tokenizer-json.js';
import type { CheckpointConfig } from './checkpoint-config.js';
import { CheckpointError } from './checkpoint-config.js';
import type { TensorSource } from './tensor-source.js';

/** Where a tensor of the checkpoint layout is found in a file, which may name and cut it otherwise. */
export interface TensorOrigin {
  /** Names that it may have there; the first one is its usual name. */
  readonly names: readonly string[];
  /** Rows before this one are not the model's, such as RoBERTa's first two positions; default 0. */
  readonly firstRow?: number | undefined;
  /** Rows of the file's tensor, where some behind the model's are not used; default up to the model's last. */
  readonly rows?: number | undefined;
  /** Names of a table whose first row is added to every row (ERNIE's task embedding). */
  readonly plusFirstRowOf?: readonly string[] | undefined;
}

export interface CheckpointParts {
  /** The directory or file that was asked for. */
  readonly path: string;
  /** Such as `Hugging Face RoBERTa`. */
  readonly format: string;
  readonly config: CheckpointConfig;
  /** The text of all files that `config` was read from; part of the checkpoint's hash. */
  readonly configText: string;
  readonly tensors: TensorSource;
  /** @param name in the checkpoint layout */
  readonly originOf: (name: string) => TensorOrigin;
  readonly readTokenizer: () => Promise<TokenizerJson>;
  /** What the files do not say and was taken to be, for the user. */
  readonly assumptions: readonly string[];
}

/**
 * An open model of any format, seen in the checkpoint layout: its configuration, and its tensors by the layout's names,
 * on demand.
 */
export class Checkpoint {
  readonly path: string;
  readonly format: string;
  readonly config: CheckpointConfig;
  /** Over the configuration and the weights. */
  readonly sha256: string;
  readonly assumptions: readonly string[];
  /** What its weights lie in, such as `torch (zip container), float32`. */
  readonly weights: string;
  readonly #parts: CheckpointParts;
  readonly #read = new Set<string>();

  private constructor(parts: CheckpointParts, sha256: string) {
    this.path = parts.path;
    this.format = parts.format;
    this.config = parts.config;
    this.assumptions = parts.assumptions;
    this.sha256 = sha256;
    this.weights = parts.tensors.description;
    this.#parts = parts;
  }

  /** Takes the open tensors over: closes them with itself, and where it fails. */
  static async of(parts: CheckpointParts): Promise<Checkpoint> {
    try {
      const hash = createHash('sha256')
        .update(parts.configText)
        .update(await parts.tensors.sha256());
      return new Checkpoint(parts, hash.digest('hex'));
    } catch (error) {
      await parts.tensors.close();
      throw error;
    }
  }

  /** @throws TokenizerFileError */
  tokenizer(): Promise<TokenizerJson> {
    return this.#parts.readTokenizer();
  }

  /** A tensor of the encoder, named without the `bert.` prefix. @throws CheckpointError as `tensor` does */
  encoder(name: string, shape: readonly number[]): Promise<Float32Array> {
    return this.tensor(`bert.${name}`, shape);
  }

  /** A tensor of the exit after a layer, such as `narrow.weight`. @throws CheckpointError as `tensor` does */
  exit(layer: number, part: string, shape: readonly number[]): Promise<Float32Array> {
    return this.tensor(`exits.${layer}.${part}`, shape);
  }

  /**
   * A tensor by its name in the checkpoint layout, in row-major order.
   * @param memory as `TensorSource.read` has it
   * @throws CheckpointError when it is missing, misshapen or not finite
   */
  async tensor(layoutName: string, shape: readonly number[], memory?: Float32Array): Promise<Float32Array> {
    const [rows = 1, ...inner] = shape;
    const { names, firstRow = 0, plusFirstRowOf, ...origin } = this.#parts.originOf(layoutName);
    const stored = [origin.rows ?? firstRow + rows, ...inner];
    const values = await this.#values(names, stored, memory);
    const rowSize = inner.reduce((product, dim) => product * dim, 1);
    const kept = values.subarray(firstRow * rowSize, (firstRow + rows) * rowSize);
    if (plusFirstRowOf === undefined) return kept;
    const added = await this.#firstRow(plusFirstRowOf, rowSize);
    for (let i = 0; i < kept.length; i++) kept[i] = kept[i]! + added[i % rowSize]!;
    return kept;
  }

  /**
   * Finds a tensor and leaves its values where they are.
   * @returns the number of its values
   * @throws CheckpointError when it is missing or misshapen
   */
  locate(layoutName: string, shape: readonly number[]): number {
    const [rows = 1, ...inner] = shape;
    const { names, firstRow = 0, plusFirstRowOf, ...origin } = this.#parts.originOf(layoutName);
    const stored = [origin.rows ?? firstRow + rows, ...inner];
    this.#find(names, stored);
    if (plusFirstRowOf !== undefined) this.#read.add(this.#nameIn(plusFirstRowOf));
    return shape.reduce((product, dim) => product * dim, 1);
  }

  /** Tensors of the file that nobody has asked for. */
  unread(): string[] {
    return this.#parts.tensors.names().filter((name) => !this.#read.has(name));
  }

  async close(): Promise<void> {
    await this.#parts.tensors.close();
  }

  async #firstRow(names: readonly string[], size: number): Promise<Float32Array> {
    const name = this.#nameIn(names);
    const [rows = 1] = this.#parts.tensors.shape(name)!;
    return (await this.#values([name], [rows, size])).subarray(0, size);
  }

  /** The one of these names that the file has. */
  #nameIn(names: readonly string[]): string {
    const { tensors } = this.#parts;
    const name = names.find((candidate) => tensors.shape(candidate) !== undefined);
    if (name !== undefined) return name;
    throw new CheckpointError(tensors.path, `tensor '${String(names[0])}' is missing.`);
  }

  /** The same, of a tensor of this shape. */
  #find(names: readonly string[], shape: readonly number[]): string {
    const { tensors } = this.#parts;
    const name = this.#nameIn(names);
    const found = tensors.shape(name)!;
    if (found.join() !== shape.join()) {
      throw new CheckpointError(
        tensors.path,
        `tensor '${name}' is [${found.join(', ')}]; the model's configuration asks for [${shape.join(', ')}].`,
      );
    }
    this.#read.add(name);
    return name;
  }

  async #values(
    names: readonly string[],
    shape: readonly number[],
    memory?: Float32Array,
  ): Promise<Float32Array> {
    const { tensors } = this.#parts;
    const name = this.#find(names, shape);
    const values = await tensors.read(name, memory);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new CheckpointError(
        tensors.path,
        `tensor '${name}' holds ${String(values[bad])} at position ${bad}; weights must be finite.`,
      );
    }
    return values;
  }
}
