import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { bfloat16ToFloat32, float16ToFloat32 } from './half-floats.js';

/** A safetensors file that is not what its format promises. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path}: ${problem}`);
  }
}

const elementBytes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;

const entrySchema = z.object({
  dtype: z.enum(Object.keys(elementBytes) as [keyof typeof elementBytes]),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
type Entry = z.infer<typeof entrySchema>;

/** The reference implementation's bound on a header. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * An open safetensors file. The header is checked on opening: every tensor lies inside the file, has the bytes that its
 * shape needs, and overlaps no other. Tensors are read one by one, so memory holds what was asked for.
 */
export class Safetensors {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #dataStart: number;

  private constructor(
    path: string,
    file: FileHandle,
    entries: ReadonlyMap<string, Entry>,
    dataStart: number,
  ) {
    this.path = path;
    this.#file = file;
    this.#entries = entries;
    this.#dataStart = dataStart;
  }

  /** @throws SafetensorsError */
  static async open(path: string): Promise<Safetensors> {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const header = await readHeader(path, file, size);
      return new Safetensors(path, file, checkedEntries(path, header.json, size - header.end), header.end);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  names(): string[] {
    return [...this.#entries.keys()];
  }

  shape(name: string): readonly number[] | undefined {
    return this.#entries.get(name)?.shape;
  }

  /** A tensor's values in row-major order, as float32. @throws SafetensorsError */
  async read(name: string): Promise<Float32Array> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new SafetensorsError(this.path, `there is no tensor '${name}'.`);
    const [start, end] = entry.data_offsets;
    const bytes = new Uint8Array(end - start);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await this.#file.read(
        bytes,
        filled,
        bytes.length - filled,
        this.#dataStart + start + filled,
      );
      if (bytesRead === 0) throw new SafetensorsError(this.path, `the file ends inside tensor '${name}'.`);
      filled += bytesRead;
    }
    switch (entry.dtype) {
      case 'F32':
        return new Float32Array(bytes.buffer);
      case 'F64':
        return Float32Array.from(new Float64Array(bytes.buffer));
      case 'F16':
        return float16ToFloat32(new Uint16Array(bytes.buffer));
      case 'BF16':
        return bfloat16ToFloat32(new Uint16Array(bytes.buffer));
      case 'I64':
      case 'I32':
      case 'I16':
      case 'I8':
      case 'U8':
      case 'BOOL':
        throw new SafetensorsError(
          this.path,
          `tensor '${name}' is ${entry.dtype}; weights must be F32, F16, BF16 or F64.`,
        );
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function readHeader(
  path: string,
  file: FileHandle,
  size: number,
): Promise<{ json: unknown; end: number }> {
  const prefix = Buffer.alloc(8);
  if (size < 8 || (await file.read(prefix, 0, 8, 0)).bytesRead < 8) {
    throw new SafetensorsError(
      path,
      `not a safetensors file: ${size} bytes, shorter than the 8-byte prefix.`,
    );
  }
  const length = Number(prefix.readBigUInt64LE());
  if (length > MAX_HEADER_BYTES || 8 + length > size) {
    throw new SafetensorsError(
      path,
      `not a safetensors file: the header claims ${length} bytes, the file has ${size}.`,
    );
  }
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, 8);
  try {
    return { json: JSON.parse(bytes.toString('utf8')), end: 8 + length };
  } catch {
    throw new SafetensorsError(path, 'not a safetensors file: the header is not JSON.');
  }
}

function checkedEntries(path: string, json: unknown, dataBytes: number): Map<string, Entry> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new SafetensorsError(path, 'the header is not a JSON object.');
  }
  const entries = new Map<string, Entry>();
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') continue;
    const parsed = entrySchema.safeParse(value);
    if (!parsed.success) {
      throw new SafetensorsError(
        path,
        `tensor '${name}' is described wrongly: ${z.prettifyError(parsed.error)}`,
      );
    }
    const { dtype, shape, data_offsets } = parsed.data;
    const [start, end] = data_offsets;
    const needed = shape.reduce((product, dim) => product * dim, elementBytes[dtype]);
    if (end - start !== needed || end > dataBytes) {
      throw new SafetensorsError(
        path,
        `tensor '${name}' (${dtype} [${shape.join(', ')}]) needs ${needed} bytes inside the file's ${dataBytes}; the header gives ${start} to ${end}.`,
      );
    }
    entries.set(name, parsed.data);
  }
  const byStart = [...entries].sort((a, b) => a[1].data_offsets[0] - b[1].data_offsets[0]);
  let previousEnd = 0;
  for (const [name, entry] of byStart) {
    if (entry.data_offsets[0] < previousEnd) {
      throw new SafetensorsError(path, `tensor '${name}' overlaps the tensor before it.`);
    }
    previousEnd = entry.data_offsets[1];
  }
  return entries;
}
