import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { openRegularFile, RegularFileError } from '#pipeline/regular-file.js';
import { schemaProblem } from '#pipeline/schema-problem.js';
import { shownText } from '#pipeline/shown-text.js';
import { hashFile } from './hash-file.js';
import { bfloat16ToFloat32, float16ToFloat32 } from './half-floats.js';
import type { TensorSource } from './tensor-source.js';
import { roomFor } from './tensor-source.js';

/** A safetensors file that is not what its format promises. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path}: ${shownText(problem)}`);
  }
}

/** Element types of the format, and their bytes. */
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
  dtype: z.literal(['F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'I16', 'I8', 'U8', 'BOOL']),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
type Entry = z.infer<typeof entrySchema>;

/** Conversions of the element types that weights may have. */
const toFloat32: Partial<Record<Entry['dtype'], (bytes: ArrayBuffer, count: number) => Float32Array>> = {
  F64: (bytes, count) => Float32Array.from(new Float64Array(bytes, 0, count)),
  F32: (bytes, count) => new Float32Array(bytes, 0, count),
  F16: (bytes, count) => float16ToFloat32(new Uint16Array(bytes, 0, count)),
  BF16: (bytes, count) => bfloat16ToFloat32(new Uint16Array(bytes, 0, count)),
};

/** Bytes that are read and converted at once. */
const WINDOW = 2 ** 20;

/** Names of the element types that weights may have, for people. */
const floatNames: Partial<Record<Entry['dtype'], string>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/** A hundred bytes for each of thousands of tensors. The reference implementation allows 100 MB, which JSON makes many more of. */
const MAX_HEADER_BYTES = 2 ** 24;

/**
 * An open safetensors file. The header is checked on opening: every tensor lies inside the file and has the bytes that
 * its shape needs; together they cover the file, none overlapping. Tensors are read one by one, so memory holds what was
 * asked for.
 */
export class Safetensors implements TensorSource {
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
    const file = await openRegularFile(path).catch((error: unknown) => {
      throw error instanceof RegularFileError ? new SafetensorsError(path, `${error.message}.`) : error;
    });
    try {
      const { size } = await file.stat();
      const header = await readHeader(path, file, size);
      return new Safetensors(path, file, checkedEntries(path, header.json, size - header.end), header.end);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get description(): string {
    const floats = [...this.#entries.values()].flatMap(({ dtype }) => floatNames[dtype] ?? []);
    return ['safetensors', ...new Set(floats)].join(', ');
  }

  names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  shape(name: string): readonly number[] | undefined {
    return this.#entries.get(name)?.shape;
  }

  /** A tensor's values in row-major order, as float32. @throws SafetensorsError */
  async read(name: string, memory?: Float32Array): Promise<Float32Array> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new SafetensorsError(this.path, `there is no tensor '${name}'.`);
    const convert = toFloat32[entry.dtype];
    if (convert === undefined) {
      throw new SafetensorsError(
        this.path,
        `tensor '${name}' is ${entry.dtype}; weights must be F32, F16, BF16 or F64.`,
      );
    }
    const [start, end] = entry.data_offsets;
    const width = elementBytes[entry.dtype];
    const values = roomFor((end - start) / width, memory);
    const window = new Uint8Array(Math.min(WINDOW, end - start));
    for (let at = start; at < end; at += window.length) {
      const bytes = window.subarray(0, end - at);
      await this.#fill(bytes, at, name);
      values.set(convert(bytes.buffer, bytes.length / width), (at - start) / width);
    }
    return values;
  }

  /** @param at behind the header */
  async #fill(bytes: Uint8Array, at: number, name: string): Promise<void> {
    let filled = 0;
    while (filled < bytes.length) {
      const position = this.#dataStart + at + filled;
      const { bytesRead } = await this.#file.read(bytes, filled, bytes.length - filled, position);
      if (bytesRead === 0) throw new SafetensorsError(this.path, `the file ends inside tensor '${name}'.`);
      filled += bytesRead;
    }
  }

  sha256(): Promise<string> {
    return hashFile(this.path);
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
  const claimed = prefix.readBigUInt64LE();
  const length = Number(claimed);
  if (length > MAX_HEADER_BYTES || 8 + length > size) {
    throw new SafetensorsError(
      path,
      `not a safetensors file: the header claims ${claimed} bytes, the file has ${size}.`,
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

/** Tensors lie back to back from the first byte to the last: what nobody names, nobody can hide. */
function checkCoverage(path: string, entries: ReadonlyMap<string, Entry>, dataBytes: number): void {
  const inOrder = [...entries].sort(
    ([, { data_offsets: a }], [, { data_offsets: b }]) => a[0] - b[0] || a[1] - b[1],
  );
  let previousEnd = 0;
  for (const [name, { data_offsets }] of inOrder) {
    const [start, end] = data_offsets;
    if (start < previousEnd) {
      throw new SafetensorsError(path, `tensor '${name}' overlaps the tensor before it.`);
    }
    if (start > previousEnd) {
      throw new SafetensorsError(
        path,
        `bytes ${previousEnd} to ${start}, before tensor '${name}', belong to no tensor.`,
      );
    }
    previousEnd = end;
  }
  if (previousEnd < dataBytes) {
    throw new SafetensorsError(path, `the last ${dataBytes - previousEnd} bytes belong to no tensor.`);
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
        `tensor '${name}' is described wrongly: ${schemaProblem(parsed.error)}`,
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
  checkCoverage(path, entries, dataBytes);
  return entries;
}
