import { crc32 } from 'node:zlib';
import type { Activation } from '../columns.js';

/** `sla` and the version of the format. */
const MAGIC = 0x736c6101;
const HEADER_BYTES = 16;
const FLOAT32 = 4;
const FLOAT16 = 2;

/** Little-endian: magic, bytes of a number, how many, CRC-32 of them; then the numbers. */
export function encodeActivations(activations: Activation): Buffer {
  const { buffer, byteOffset, byteLength, length, BYTES_PER_ELEMENT } = activations;
  const numbers = Buffer.from(buffer, byteOffset, byteLength);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(BYTES_PER_ELEMENT, 4);
  header.writeUInt32LE(length, 8);
  header.writeUInt32LE(crc32(numbers), 12);
  return Buffer.concat([header, numbers]);
}

/** @returns `undefined` where the bytes are not what was encoded: the rows are computed again */
export function decodeActivations(bytes: Uint8Array): Activation | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const [magic, width, length] = [header.readUInt32LE(0), header.readUInt32LE(4), header.readUInt32LE(8)];
  if (magic !== MAGIC || (width !== FLOAT32 && width !== FLOAT16)) return undefined;
  if (bytes.length !== HEADER_BYTES + length * width) return undefined;
  const numbers = bytes.subarray(HEADER_BYTES);
  if (crc32(numbers) !== header.readUInt32LE(12)) return undefined;
  // A copy, so that the numbers begin where theirs may.
  const own = Uint8Array.from(numbers).buffer;
  return width === FLOAT32 ? new Float32Array(own) : new Uint16Array(own);
}
