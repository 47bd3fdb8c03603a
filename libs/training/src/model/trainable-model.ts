import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Checkpoint } from '#model/checkpoint/checkpoint.js';
import type { CheckpointConfig } from '#model/checkpoint/checkpoint-config.js';
import type { LayoutTensor } from '#model/checkpoint/layout-tensors.js';
import { layoutTensors } from '#model/checkpoint/layout-tensors.js';
import type { Random } from '../data/random.js';
import { embeddingTables } from './embed-tokens.js';
import type { Weights } from './encoder.js';
import { initialValues } from './initial-values.js';

/** A model whose numbers change: those in memory are the model, the backend has copies of them. */
export class TrainableModel {
  readonly config: CheckpointConfig;
  readonly values: ReadonlyMap<string, Float32Array>;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #tables: ReadonlySet<string>;
  readonly #tensors = new Map<string, Tensor>();

  /** @param values of each tensor that the configuration asks for */
  constructor(config: CheckpointConfig, values: ReadonlyMap<string, Float32Array>) {
    this.config = config;
    this.values = values;
    this.#shapes = new Map(layoutTensors(config).map(({ name, shape }) => [name, shape]));
    this.#tables = new Set(embeddingTables(config.geometry));
  }

  /** Names of all tensors, in the order of the checkpoint layout. */
  get names(): string[] {
    return [...this.#shapes.keys()];
  }

  /** In the backend: all tensors but the embedding tables. */
  get weights(): Weights {
    for (const name of this.#shapes.keys()) {
      if (!this.#tables.has(name) && !this.#tensors.has(name)) this.#put(name);
    }
    return this.#tensors;
  }

  isTable(name: string): boolean {
    return this.#tables.has(name);
  }

  shape(name: string): readonly number[] {
    return this.#shapes.get(name)!;
  }

  /**
   * Numbers of these tensors have changed. It must be called before the next pass: until then the backend computes with
   * copies of what they were, or, where it has not read them yet, with what they are.
   */
  changed(names: Iterable<string>): void {
    for (const name of names) {
      this.#tensors.get(name)?.dispose();
      this.#tensors.delete(name);
    }
  }

  dispose(): void {
    this.changed([...this.#tensors.keys()]);
  }

  #put(name: string): void {
    this.#tensors.set(name, tf.keep(tf.tensor(this.values.get(name)!, [...this.shape(name)])));
  }
}

/**
 * Reads a model, or as much of it as there is: exits that the checkpoint lacks get first values.
 *
 * @param config of the model to be; its encoder is the checkpoint's
 * @param random of the first values
 * @param isNew tensors that begin anew, whatever the checkpoint has
 * @throws CheckpointError
 */
export async function readTrainable(
  checkpoint: Checkpoint,
  config: CheckpointConfig,
  random: Random,
  isNew: (name: string) => boolean = () => false,
): Promise<TrainableModel> {
  const known = new Map(layoutTensors(checkpoint.config).map(({ name, shape }) => [name, shape.join()]));
  const read = ({ name, shape }: LayoutTensor): Promise<Float32Array> | Float32Array =>
    !isNew(name) && known.get(name) === shape.join()
      ? checkpoint.tensor(name, shape)
      : initialValues(name, shape, random);
  const values = new Map<string, Float32Array>();
  for (const tensor of layoutTensors(config)) values.set(tensor.name, (await read(tensor)).slice());
  return new TrainableModel(config, values);
}
