import type { FileHandle } from 'node:fs/promises';
import { roomFor } from '../checkpoint/tensor-source.js';
import { elementTypes } from './element-types.js';
import { readInto } from './read-bytes.js';
import type { TensorView } from './tensor-view.js';
import { TorchFileError } from './torch-file-error.js';
import type { FileRange } from './zip-entries.js';

/** Elements that are read and converted at once; 1 MiB of float32. */
const WINDOW = 2 ** 18;
/** Elements that a tensor may have beyond those of its storage, by repeating them. */
const MOST_REPEATED = 2 ** 24;

/** One dimension of a view: how often, how far apart in the storage, and how far apart in the row-major output. */
interface Axis {
  readonly size: number;
  readonly stride: number;
  readonly step: number;
}

/**
 * The values of a view in row-major order, as float32. The storage is read from front to back in windows, so that memory
 * holds the values and one window, whatever the strides.
 *
 * @param range of the storage in the file
 * @param memory as `TensorSource.read` has it
 * @throws TorchFileError where the type cannot be a weight's, elements overlap, or the file ends
 */
export async function readView(
  path: string,
  file: FileHandle,
  name: string,
  view: TensorView,
  range: FileRange,
  memory?: Float32Array,
): Promise<Float32Array> {
  const { storage, elements } = view;
  const type = elementTypes.get(storage.type)!;
  const { toFloat32 } = type;
  if (toFloat32 === undefined) {
    throw new TorchFileError(
      path,
      `tensor '${name}' is ${storage.type}; weights must be Float, Half, BFloat16 or Double.`,
    );
  }
  if (elements > Math.max(storage.elements, MOST_REPEATED)) {
    throw new TorchFileError(
      path,
      `tensor '${name}' repeats the ${storage.elements} elements of its storage to ${elements}.`,
    );
  }
  const axes = axesOf(view);
  const places = joined(axes.filter(({ stride }) => stride > 0).sort((a, b) => b.stride - a.stride));
  if (places.some((axis, index) => axis.stride <= reach(places.slice(index + 1)))) {
    throw new TorchFileError(path, `tensor '${name}' has elements that overlap.`);
  }
  const values = roomFor(elements, memory);
  if (elements === 0) return values;
  const first = storage.offset + view.offset;
  const read = async (from: number, count: number): Promise<Float32Array> => {
    const bytes = new Uint8Array(count * type.bytes);
    await readInto(path, file, bytes, range.start + (first + from) * type.bytes);
    return toFloat32(bytes);
  };
  await fillInOrder(values, places, read);
  repeat(values, axes);
  return values;
}

function axesOf({ shape, strides }: TensorView): Axis[] {
  const axes: Axis[] = [];
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis]! > 1) axes.push({ size: shape[axis]!, stride: strides[axis]!, step });
    step *= shape[axis]!;
  }
  return axes;
}

/** @param places descending by stride; those that follow on one another without a gap become one */
function joined(places: readonly Axis[]): Axis[] {
  const axes: Axis[] = [];
  for (const inner of places) {
    const outer = axes.at(-1);
    if (outer?.stride === inner.size * inner.stride && outer.step === inner.size * inner.step) {
      axes[axes.length - 1] = { ...inner, size: outer.size * inner.size };
    } else {
      axes.push(inner);
    }
  }
  return axes;
}

/** How far the last element that the axes lead to lies behind the first. */
function reach(axes: readonly Axis[]): number {
  return axes.reduce((sum, { size, stride }) => sum + (size - 1) * stride, 0);
}

/** @param places descending by stride: their elements follow one another in the storage */
async function fillInOrder(
  values: Float32Array,
  places: readonly Axis[],
  read: (from: number, count: number) => Promise<Float32Array>,
): Promise<void> {
  const end = reach(places) + 1;
  const isPlain = places.length === 0 || (places.length === 1 && places[0]!.stride * places[0]!.step === 1);
  const indices = new Uint32Array(places.length);
  let window: Float32Array = new Float32Array(0);
  let windowStart = 0;
  let source = 0;
  let target = 0;
  for (;;) {
    if (source >= windowStart + window.length) {
      windowStart = source;
      window = await read(source, Math.min(WINDOW, end - source));
    }
    if (isPlain) {
      values.set(window, source);
      source += window.length;
      if (source >= end) return;
      continue;
    }
    values[target] = window[source - windowStart]!;
    let axis = places.length - 1;
    for (; axis >= 0; axis--) {
      const { size, stride, step } = places[axis]!;
      if (++indices[axis]! < size) {
        source += stride;
        target += step;
        break;
      }
      indices[axis] = 0;
      source -= (size - 1) * stride;
      target -= (size - 1) * step;
    }
    if (axis < 0) return;
  }
}

/** Axes of stride 0 show the same elements again. */
function repeat(values: Float32Array, axes: readonly Axis[]): void {
  for (const { size, stride, step } of axes) {
    if (stride !== 0) continue;
    for (let block = 0; block < values.length; block += size * step) {
      for (let copy = 1; copy < size; copy++) {
        values.copyWithin(block + copy * step, block, block + step);
      }
    }
  }
}
