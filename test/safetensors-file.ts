/** Writes safetensors files for tests: an 8-byte length, a JSON header, the tensors' bytes back to back. */

export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** @param values as many as the product of `shape` */
export function float32Tensor(shape: readonly number[], values: Float32Array): StoredTensor {
  return { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

export function safetensorsFile(tensors: ReadonlyMap<string, StoredTensor>): Buffer {
  let end = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  for (const [name, { dtype, shape, bytes }] of tensors) {
    // Not by assignment, which a tensor named __proto__ would turn into something else.
    Object.defineProperty(header, name, {
      enumerable: true,
      value: { dtype, shape, data_offsets: [end, end + bytes.length] },
    });
    end += bytes.length;
  }
  return withHeader(
    JSON.stringify(header),
    [...tensors.values()].map(({ bytes }) => bytes),
  );
}

/** A file whose header need not be true. */
export function withHeader(header: string, data: readonly Uint8Array[]): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...data]);
}
