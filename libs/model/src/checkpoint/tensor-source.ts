/** Named tensors of one or more weight files, read one by one: memory holds what was asked for. */
export interface TensorSource {
  /** The file, or the index of several; named in errors. */
  readonly path: string;
  /** What the weights lie in, and the number formats of those that can be read: `safetensors, float16`. */
  readonly description: string;
  /** All tensors, in the order of the file. */
  names(): readonly string[];
  /** `undefined` where there is no such tensor. */
  shape(name: string): readonly number[] | undefined;
  /**
   * A tensor's values in row-major order, as float32.
   * @param memory takes the values, so that they are valid until it is used again; new memory where it is too small
   * @throws SafetensorsError, TorchFileError where the tensor is missing, its bytes are, or its type cannot be a weight's
   */
  read(name: string, memory?: Float32Array): Promise<Float32Array>;
  /** SHA-256 over the bytes of all files. */
  sha256(): Promise<string>;
  close(): Promise<void>;
}

/** Room for so many values: of the memory that is given, or new. */
export function roomFor(values: number, memory: Float32Array | undefined): Float32Array {
  return memory !== undefined && memory.length >= values
    ? memory.subarray(0, values)
    : new Float32Array(values);
}
