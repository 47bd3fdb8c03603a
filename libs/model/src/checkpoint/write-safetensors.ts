import { open } from 'node:fs/promises';
import type { LayoutTensor } from './layout-tensors.js';

/** What goes to the system at once; it takes less than 2 GiB. */
const MOST_BYTES_AT_ONCE = 2 ** 26;
const FLOAT32_BYTES = 4;
/** Numbers begin at a multiple of this. */
const ALIGNMENT = 8;

/**
 * Writes a safetensors file of float32, tensor by tensor: memory holds one of them.
 *
 * @param read a tensor's values, as many as its shape has; `memory` has room for any of them
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly LayoutTensor[],
  read: (tensor: LayoutTensor, memory: Float32Array) => Promise<Float32Array>,
): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(headerOf(tensors));
    const memory = new Float32Array(Math.max(...tensors.map(valuesOf)));
    for (const tensor of tensors) {
      const { buffer, byteOffset, byteLength } = await read(tensor, memory);
      for (let at = 0; at < byteLength; at += MOST_BYTES_AT_ONCE) {
        const piece = new Uint8Array(buffer, byteOffset + at, Math.min(MOST_BYTES_AT_ONCE, byteLength - at));
        await file.writeFile(piece);
      }
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

function headerOf(tensors: readonly LayoutTensor[]): Buffer {
  let end = 0;
  const entries = tensors.map(({ name, shape }) => {
    const start = end;
    end += valuesOf({ shape }) * FLOAT32_BYTES;
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }];
  });
  // By this word transformers knows that the file is for it.
  const header = { __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) };
  const json = Buffer.from(JSON.stringify(header));
  const padding = (ALIGNMENT - (json.length % ALIGNMENT)) % ALIGNMENT;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length + padding));
  return Buffer.concat([length, json, Buffer.alloc(padding, ' ')]);
}

function valuesOf({ shape }: Pick<LayoutTensor, 'shape'>): number {
  return shape.reduce((product, dim) => product * dim, 1);
}
