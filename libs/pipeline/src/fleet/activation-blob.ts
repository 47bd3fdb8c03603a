import { crc32 } from 'node:zlib';
import type { Activation } from '../columns.js';

/** `sla` and the version of the format. */
const MAGIC = 0x736c6101;
const HEADER_BYTES = 16;
const FLOAT32 = 4;
const FLOAT16 = 2;

/**
 * Little-endian: magic, bytes of a number, how many, CRC-32 of them; then the numbers.
 * @param parts of one kind, put back to back
 */
export function encodeActivations(parts: readonly Activation[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const width = parts[0]?.BYTES_PER_ELEMENT ?? FLOAT32;
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length * width);
  let at = HEADER_BYTES;
  for (const { buffer, byteOffset, byteLength } of parts) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(width, 4);
  bytes.writeUInt32LE(length, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(HEADER_BYTES)), 12);
  return bytes;
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
  // A copy: the bytes may lie where no numbers may begin, and in memory of many that lives as long as any view of it.
  const own = new Uint8Array(numbers).buffer;
  return width === FLOAT32 ? new Float32Array(own) : new Uint16Array(own);
}
