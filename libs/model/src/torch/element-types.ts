import { bfloat16ToFloat32, float16ToFloat32 } from '../checkpoint/half-floats.js';

interface ElementType {
  readonly bytes: number;
  /** For people; only of what weights may be. */
  readonly name?: string;
  /** Only what weights may be. @param bytes whole elements, little-endian, aligned */
  readonly toFloat32?: (bytes: Uint8Array) => Float32Array;
}

/** By the names of torch's storages, without the `Storage`. */
export const elementTypes: ReadonlyMap<string, ElementType> = new Map<string, ElementType>([
  [
    'Float',
    {
      bytes: 4,
      name: 'float32',
      toFloat32: (bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
    },
  ],
  [
    'Double',
    {
      bytes: 8,
      name: 'float64',
      toFloat32: (bytes) =>
        Float32Array.from(new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8)),
    },
  ],
  [
    'Half',
    {
      bytes: 2,
      name: 'float16',
      toFloat32: (bytes) =>
        float16ToFloat32(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)),
    },
  ],
  [
    'BFloat16',
    {
      bytes: 2,
      name: 'bfloat16',
      toFloat32: (bytes) =>
        bfloat16ToFloat32(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)),
    },
  ],
  ['Long', { bytes: 8 }],
  ['Int', { bytes: 4 }],
  ['Short', { bytes: 2 }],
  ['Char', { bytes: 1 }],
  ['Byte', { bytes: 1 }],
  ['Bool', { bytes: 1 }],
  ['ComplexFloat', { bytes: 8 }],
  ['ComplexDouble', { bytes: 16 }],
]);
