import './no-telemetry.js';
import { Tensor } from 'onnxruntime-node';

/** Numbers of a tensor. The class of the array tells the element type; `Uint16Array` holds float16 bits. */
export type GraphData = Float32Array | Uint16Array | Int32Array | Uint8Array | Int8Array | BigInt64Array;

/** A tensor as this library gives and takes it, so that nobody else needs ONNX Runtime's types. */
export interface GraphTensor {
  readonly dims: readonly number[];
  /** Row-major, as many numbers as the product of `dims`. */
  readonly data: GraphData;
}

/** Shares the numbers, does not copy them. */
export function toOrtTensor({ data, dims }: GraphTensor): Tensor {
  if (data instanceof Float32Array) return new Tensor('float32', data, dims);
  if (data instanceof Uint16Array) return new Tensor('float16', data, dims);
  if (data instanceof Int32Array) return new Tensor('int32', data, dims);
  if (data instanceof Uint8Array) return new Tensor('uint8', data, dims);
  if (data instanceof Int8Array) return new Tensor('int8', data, dims);
  return new Tensor('int64', data, dims);
}

/** Shares the numbers, does not copy them. @throws TypeError for an element type that no graph of ours has */
export function fromOrtTensor(tensor: Tensor): GraphTensor {
  return { dims: tensor.dims, data: numbersOf(tensor) };
}

function numbersOf({ type, data }: Tensor): GraphData {
  // Node 24 has a Float16Array and ONNX Runtime then uses it; older ones get the bits in a Uint16Array.
  if (type === 'float16' && ArrayBuffer.isView(data)) {
    return new Uint16Array(data.buffer, data.byteOffset, data.byteLength / Uint16Array.BYTES_PER_ELEMENT);
  }
  if (
    data instanceof Float32Array ||
    data instanceof Int32Array ||
    data instanceof Uint8Array ||
    data instanceof Int8Array ||
    data instanceof BigInt64Array
  ) {
    return data;
  }
  throw new TypeError(`Expected a tensor of float32, float16, int32, int64, uint8 or int8; got ${type}.`);
}
