import type { FileHandle } from 'node:fs/promises';
import { openRegularFile, RegularFileError } from '#pipeline/regular-file.js';
import { hashFile } from '../checkpoint/hash-file.js';
import type { TensorSource } from '../checkpoint/tensor-source.js';
import { elementTypes } from './element-types.js';
import { readContainer } from './read-container.js';
import { readView } from './read-view.js';
import { namedTensors } from './state-dict.js';
import type { TensorView } from './tensor-view.js';
import { TorchFileError } from './torch-file-error.js';
import type { FileRange } from './zip-entries.js';

/**
 * An open file of `torch.save`, zip or legacy container, that holds a state dict. Nothing in it executes. On opening, every
 * tensor is checked to lie inside its storage, and every storage inside the file. Tensors are read one by one, so memory
 * holds what was asked for.
 */
export class TorchFile implements TensorSource {
  readonly path: string;
  readonly description: string;
  readonly #file: FileHandle;
  readonly #tensors: ReadonlyMap<string, TensorView>;
  readonly #storages: ReadonlyMap<string, FileRange>;

  private constructor(
    path: string,
    container: string,
    file: FileHandle,
    tensors: ReadonlyMap<string, TensorView>,
    storages: ReadonlyMap<string, FileRange>,
  ) {
    this.path = path;
    const floats = Array.from(tensors.values(), ({ storage }) => elementTypes.get(storage.type)?.name ?? []);
    this.description = [`torch (${container} container)`, ...new Set(floats.flat())].join(', ');
    this.#file = file;
    this.#tensors = tensors;
    this.#storages = storages;
  }

  /** @throws TorchFileError, and the system's error where nothing can be opened */
  static async open(path: string): Promise<TorchFile> {
    const file = await openRegularFile(path).catch((error: unknown) => {
      throw error instanceof RegularFileError ? new TorchFileError(path, `${error.message}.`) : error;
    });
    try {
      const { container, root, storages } = await readContainer(path, file);
      const tensors = namedTensors(root);
      if (typeof tensors === 'string') throw new TorchFileError(path, `${tensors}.`);
      for (const [name, view] of tensors) checkView(path, name, view, storages.get(view.storage.key));
      return new TorchFile(path, container, file, tensors, storages);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  shape(name: string): readonly number[] | undefined {
    return this.#tensors.get(name)?.shape;
  }

  /** A tensor's values in row-major order, as float32. @throws TorchFileError */
  async read(name: string, memory?: Float32Array): Promise<Float32Array> {
    const view = this.#tensors.get(name);
    if (view === undefined) throw new TorchFileError(this.path, `there is no tensor '${name}'.`);
    return readView(this.path, this.#file, name, view, this.#storages.get(view.storage.key)!, memory);
  }

  sha256(): Promise<string> {
    return hashFile(this.path);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** A view lies inside its storage, and the storage has the bytes that it is said to have. */
function checkView(path: string, name: string, view: TensorView, range: FileRange | undefined): void {
  const { storage } = view;
  if (range === undefined) {
    throw new TorchFileError(path, `storage ${JSON.stringify(storage.key)} of tensor '${name}' is missing.`);
  }
  const needed = (storage.offset + storage.elements) * elementTypes.get(storage.type)!.bytes;
  if (needed > range.bytes) {
    throw new TorchFileError(
      path,
      `storage ${JSON.stringify(storage.key)} of tensor '${name}' needs ${needed} bytes; the file has ${range.bytes} of it.`,
    );
  }
  if (!(view.end <= storage.elements)) {
    throw new TorchFileError(
      path,
      `tensor '${name}' (shape [${view.shape.join(', ')}], strides [${view.strides.join(', ')}], from element ${view.offset} on) reaches beyond the ${storage.elements} elements of its storage.`,
    );
  }
}
