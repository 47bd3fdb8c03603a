import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PickledTensor } from '../../../../test/torch-archive.js';
import {
  legacyFile,
  pickledDictionary,
  pickledTensor,
  torchArchive,
} from '../../../../test/torch-archive.js';
import { TorchFile } from './torch-file.js';

const fixtures = join(import.meta.dirname, '../../../../test/fixtures/torch');
const expected: {
  files: Record<string, Record<string, { shape: number[]; values: number[] }>>;
} = JSON.parse(await readFile(join(fixtures, 'expected.json'), 'utf8'));

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sluice-torch-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function description(name: string): Promise<string> {
  const file = await TorchFile.open(join(fixtures, `${name}.bin`));
  await file.close();
  return file.description;
}

describe('files of torch.save', () => {
  it.each(Object.keys(expected.files))('%s is read as torch reads it', async (name) => {
    const file = await TorchFile.open(join(fixtures, `${name}.bin`));
    const tensors = Object.entries(expected.files[name]!);
    expect(tensors.length).toBeGreaterThan(0);
    for (const [tensor, { shape, values }] of tensors) {
      expect(file.shape(tensor), tensor).toEqual(shape);
      expect(Array.from(await file.read(tensor)), tensor).toEqual(values);
    }
    await file.close();
  });

  it('says which container and which number formats they have', async () => {
    expect(await description('formats-legacy')).toBe(
      'torch (legacy container), float64, float32, float16, bfloat16',
    );
    expect(await description('views-zip')).toBe('torch (zip container), float32');
  });

  it('gives what is no weight a name and a shape, and refuses to read it', async () => {
    const file = await TorchFile.open(join(fixtures, 'integers-zip.bin'));
    expect(file.names()).toEqual(['w', 'ids', 'mask']);
    expect(file.shape('ids')).toEqual([5]);
    await expect(file.read('ids')).rejects.toThrow("tensor 'ids' is Long; weights must be Float");
    await expect(file.read('none')).rejects.toThrow("there is no tensor 'none'");
    await file.close();
  });

  it('reads into memory that it is given', async () => {
    const file = await TorchFile.open(join(fixtures, 'views-zip.bin'));
    const memory = new Float32Array(200).fill(-1);
    const read = await file.read('transposed', memory);
    expect(read.buffer).toBe(memory.buffer);
    expect(Array.from(read)).toEqual(expected.files['views-zip']!['transposed']!.values);
    expect(await file.read('plain', new Float32Array(5))).toHaveLength(120);
    await file.close();
  });
});

/** A view of a storage of so many elements whose elements do not overlap, or are repeated by a stride of 0. */
const views = fc
  .record({
    dims: fc.array(
      fc.record({
        size: fc.integer({ min: 0, max: 5 }),
        step: fc.integer({ min: 1, max: 3 }),
        repeated: fc.boolean(),
        place: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { maxLength: 4 },
    ),
    offset: fc.nat({ max: 7 }),
    behind: fc.nat({ max: 5 }),
  })
  .map(({ dims, offset, behind }) => {
    const strides = dims.map(() => 0);
    let reach = 1;
    const inward = [...dims.keys()].sort((a, b) => dims[a]!.place - dims[b]!.place);
    for (const axis of inward) {
      const { size, step, repeated } = dims[axis]!;
      if (repeated && size > 0) continue;
      const stride = reach * step;
      strides[axis] = stride;
      reach += Math.max(0, size - 1) * stride;
    }
    return { shape: dims.map(({ size }) => size), strides, offset, elements: offset + reach + behind };
  });

/** The definition: element [i, j, …] is at offset + i·strides[0] + j·strides[1] + …. */
function valuesOf(
  { shape, strides, offset }: Pick<PickledTensor, 'shape' | 'strides' | 'offset'>,
  at: number[] = [],
): number[] {
  if (at.length === shape.length)
    return [at.reduce((sum, index, axis) => sum + index * strides[axis]!, offset)];
  return Array.from({ length: shape[at.length]! }, (_, index) =>
    valuesOf({ shape, strides, offset }, [...at, index]),
  ).flat();
}

it('reads any view of a storage, in both containers', async () => {
  const path = join(scratch, 'view.bin');
  await fc.assert(
    fc.asyncProperty(views, fc.constantFrom('zip' as const, 'legacy' as const), async (view, container) => {
      const { elements } = view;
      const tensor = pickledTensor({ storage: '0', ...view }, container);
      const data = pickledDictionary({ w: tensor });
      const content = new Uint8Array(Float32Array.from({ length: elements }, (_, index) => index).buffer);
      await writeFile(
        path,
        container === 'zip'
          ? torchArchive(data, { 0: content })
          : legacyFile(data, [{ key: '0', elements, content }]),
      );
      const file = await TorchFile.open(path);
      try {
        expect(file.shape('w')).toEqual(view.shape);
        expect(Array.from(await file.read('w'))).toEqual(valuesOf(view));
      } finally {
        await file.close();
      }
    }),
    { numRuns: 300 },
  );
});

it('reads parts of storages, as files of old versions have', async () => {
  const path = join(scratch, 'part.bin');
  const content = new Uint8Array(Float32Array.from({ length: 10 }, (_, index) => index).buffer);
  const tensor = { storage: '0', elements: 10, offset: 1, shape: [3], strides: [1], part: [4, 6] } as const;
  const data = pickledDictionary({ w: pickledTensor(tensor, 'legacy') });
  await writeFile(path, legacyFile(data, [{ key: '0', elements: 10, content }]));
  const file = await TorchFile.open(path);
  expect(Array.from(await file.read('w'))).toEqual([5, 6, 7]);
  await file.close();
});

it('reads views longer than what is read at once', async () => {
  const path = join(scratch, 'long.bin');
  const [rows, columns] = [700, 1000];
  const content = new Uint8Array(Float32Array.from({ length: rows * columns }, (_, index) => index).buffer);
  const view = { storage: 'x', elements: rows * columns, offset: 0 };
  await writeFile(
    path,
    torchArchive(
      pickledDictionary({
        plain: pickledTensor({ ...view, shape: [rows, columns], strides: [columns, 1] }),
        transposed: pickledTensor({ ...view, shape: [columns, rows], strides: [1, columns] }),
        column: pickledTensor({ ...view, offset: 7, shape: [rows], strides: [columns] }),
      }),
      { x: content },
    ),
  );
  const file = await TorchFile.open(path);
  const plain = await file.read('plain');
  const transposed = await file.read('transposed');
  const column = await file.read('column');
  await file.close();
  for (let row = 0; row < rows; row += 1) {
    for (let at = 0; at < columns; at += 1) {
      const value = row * columns + at;
      if (plain[value] !== value || transposed[at * rows + row] !== value)
        expect.fail(`element ${row}, ${at}`);
    }
    expect(column[row]).toBe(row * columns + 7);
  }
});
