import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredTensor } from '../../../../test/safetensors-file.js';
import { safetensorsFile, withHeader } from '../../../../test/safetensors-file.js';
import { Safetensors, SafetensorsError } from './safetensors.js';

let scratch: string;
let path: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-safetensors-'));
  path = join(scratch, 'model.safetensors');
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 });
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);
/** A 16-bit float of so many mantissa bits, by the formats' definition; its exponent is not all ones. */
function smallFloat(bits: number, mantissaBits: number, bias: number): number {
  const exponent = (bits & 0x7fff) >> mantissaBits;
  const mantissa = (bits & ((1 << mantissaBits) - 1)) / (1 << mantissaBits);
  const magnitude = exponent === 0 ? mantissa * 2 ** (1 - bias) : (1 + mantissa) * 2 ** (exponent - bias);
  return bits & 0x8000 ? -magnitude : magnitude;
}

/** How each format stores the number that sixteen random bits stand for. */
const formats = {
  F64: {
    width: 8,
    store: (view: DataView, at: number, bits: number) => view.setFloat64(at, bits / 7 - 3000, true),
    value: (bits: number) => Math.fround(bits / 7 - 3000),
  },
  F32: {
    width: 4,
    store: (view: DataView, at: number, bits: number) => view.setFloat32(at, bits / 7 - 3000, true),
    value: (bits: number) => Math.fround(bits / 7 - 3000),
  },
  F16: {
    width: 2,
    store: (view: DataView, at: number, bits: number) => view.setUint16(at, bits, true),
    value: (bits: number) => smallFloat(bits, 10, 15),
  },
  BF16: {
    width: 2,
    store: (view: DataView, at: number, bits: number) => view.setUint16(at, bits, true),
    value: (bits: number) => smallFloat(bits, 7, 127),
  },
};

const tensors = fc
  .tuple(
    shapes,
    fc.constantFrom(...(['F64', 'F32', 'F16', 'BF16'] as const)),
    fc.infiniteStream(fc.nat({ max: 65_535 })),
  )
  .map(([shape, dtype, stream]): { stored: StoredTensor; values: number[] } => {
    const { width, store, value } = formats[dtype];
    // Finite numbers only: exponent bits that are not all ones.
    const numbers = [...stream.take(sizeOf(shape))].map((bits) => bits & ~0x4000);
    const view = new DataView(new ArrayBuffer(numbers.length * width));
    for (const [index, bits] of numbers.entries()) store(view, index * width, bits);
    return { stored: { dtype, shape, bytes: new Uint8Array(view.buffer) }, values: numbers.map(value) };
  });

const f32 = (shape: readonly number[], start: number, end: number): object => ({
  dtype: 'F32',
  shape,
  data_offsets: [start, end],
});
const lie = (entries: Record<string, unknown>, ...data: Uint8Array[]): Buffer =>
  withHeader(JSON.stringify(entries), data);

describe('Safetensors', () => {
  it('reads back whatever was written, in every float format', async () => {
    const names = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constant('__proto__'),
      fc.constant('constructor'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(names, tensors), { selector: ([name]) => name, maxLength: 6 }),
        async (list) => {
          const given = list.filter(([name]) => name !== '__metadata__');
          await writeFile(path, safetensorsFile(new Map(given.map(([name, { stored }]) => [name, stored]))));
          const file = await Safetensors.open(path);
          for (const [name, { stored, values }] of given) {
            expect(file.shape(name)).toEqual(stored.shape);
            expect([...(await file.read(name))]).toEqual(values);
          }
          expect(file.shape('another')).toBeUndefined();
          await file.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses to read integers as weights, and tensors that are not there', async () => {
    const bytes = new Uint8Array(16);
    await writeFile(path, safetensorsFile(new Map([['ids', { dtype: 'I64', shape: [2], bytes }]])));
    const file = await Safetensors.open(path);
    await expect(file.read('ids')).rejects.toThrow(/'ids' is I64; weights must be F32/);
    await expect(file.read('absent')).rejects.toThrow(/no tensor 'absent'/);
    await file.close();
  });

  const four = new Uint8Array(4);
  const eight = new Uint8Array(8);
  const hugeLength = Buffer.alloc(64);
  hugeLength.writeBigUInt64LE(2n ** 63n);
  const lies: Record<string, [Buffer, RegExp]> = {
    'an empty file': [Buffer.alloc(0), /0 bytes, shorter than the 8-byte prefix/],
    'a header longer than memory': [hugeLength, /header claims 9223372036854775808 bytes, the file has 64/],
    'a header longer than the file': [
      withHeader('{}', []).subarray(0, 9),
      /header claims 2 bytes, the file has 9/,
    ],
    'a header that is not JSON': [withHeader('{"a":', []), /header is not JSON/],
    'a header that is no object': [withHeader('[]', []), /not a JSON object/],
    'an unknown type': [
      lie({ w: { ...f32([1], 0, 4), dtype: 'F8_E4M3' } }, four),
      /'w' is described wrongly/,
    ],
    'a negative dimension': [lie({ w: f32([-1], 0, 4) }, four), /'w' is described wrongly/],
    'offsets that are no numbers': [
      lie({ w: { dtype: 'F32', shape: [1], data_offsets: ['0', 4] } }, four),
      /'w' is described wrongly/,
    ],
    'fewer bytes than the shape needs': [lie({ w: f32([2], 0, 4) }, four), /'w' \(F32 \[2\]\) needs 8 bytes/],
    'a shape whose size overflows': [
      lie({ w: f32([2 ** 52, 2 ** 52, 2 ** 52], 0, 4) }, four),
      /'w' .* needs .* bytes/,
    ],
    'offsets that run backwards': [lie({ w: f32([1], 4, 0) }, four), /'w' .* gives 4 to 0/],
    'a tensor beyond the end': [lie({ w: f32([1], 4, 8) }, four), /'w' .* inside the file's 4; .* 4 to 8/],
    'overlapping tensors': [
      lie({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, eight),
      /'b' overlaps the tensor before it/,
    ],
    'the same bytes twice': [lie({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, four), /'b' overlaps/],
    'bytes between tensors': [
      lie({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, four, eight),
      /bytes 4 to 8, before tensor 'b', belong to no tensor/,
    ],
    'bytes behind the last tensor': [lie({ a: f32([1], 0, 4) }, eight), /last 4 bytes belong to no tensor/],
    'one name for two tensors': [
      withHeader(`{"a":${JSON.stringify(f32([1], 0, 4))},"a":${JSON.stringify(f32([1], 4, 8))}}`, [eight]),
      /bytes 0 to 4, before tensor 'a', belong to no tensor/,
    ],
  };
  it.each(Object.entries(lies))('refuses %s', async (_, [bytes, message]) => {
    await writeFile(path, bytes);
    const opening = Safetensors.open(path);
    await expect(opening).rejects.toThrow(SafetensorsError);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toThrow(path);
  });

  it('refuses a file cut short anywhere', async () => {
    const whole = safetensorsFile(
      new Map([
        ['a', { dtype: 'F32', shape: [2], bytes: eight }],
        ['b', { dtype: 'F32', shape: [1], bytes: four }],
      ]),
    );
    for (let length = 0; length < whole.length; length++) {
      await writeFile(path, whole.subarray(0, length));
      await expect(Safetensors.open(path), `${length} bytes`).rejects.toThrow(SafetensorsError);
    }
  });

  it('refuses a directory', async () => {
    await expect(Safetensors.open(scratch)).rejects.toThrow(/where a file is expected/);
  });
});
