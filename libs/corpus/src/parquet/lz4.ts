import { ParquetFormatError } from './parquet-errors.js';
import { copyWithin } from './snappy.js';

/**
 * Decompresses one block of LZ4.
 *
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 *
 * @param length bytes that must come out
 * @throws ParquetFormatError
 */
export function decompressLz4(input: Buffer, length: number): Buffer {
  const output = Buffer.allocUnsafeSlow(length);
  if (lz4Block(input, output) !== length) throw broken();
  return output;
}

/**
 * What Parquet calls LZ4, without more: Hadoop's frames of blocks, each with its two lengths in front, or one block alone.
 * @throws ParquetFormatError
 */
export function decompressHadoopLz4(input: Buffer, length: number): Buffer {
  const output = Buffer.allocUnsafeSlow(length);
  let from = 0;
  let to = 0;
  while (input.length - from >= 8) {
    const bytes = input.readUInt32BE(from);
    const stored = input.readUInt32BE(from + 4);
    from += 8;
    if (stored > input.length - from || bytes > length - to) return decompressLz4(input, length);
    const block = input.subarray(from, from + stored);
    try {
      if (lz4Block(block, output.subarray(to, to + bytes)) !== bytes) return decompressLz4(input, length);
    } catch {
      return decompressLz4(input, length);
    }
    from += stored;
    to += bytes;
  }
  return from === input.length && to === length ? output : decompressLz4(input, length);
}

/** @returns bytes written */
function lz4Block(input: Buffer, output: Buffer): number {
  let from = 0;
  let to = 0;
  /** @returns the length that continues in bytes behind 15 */
  const lengthOf = (nibble: number): number => {
    let length = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; length += byte) {
      const next = input[from++];
      if (next === undefined) throw broken();
      byte = next;
    }
    return length;
  };
  while (from < input.length) {
    const token = input[from++]!;
    const literal = lengthOf(token >> 4);
    if (literal > input.length - from || literal > output.length - to) throw broken();
    input.copy(output, to, from, from + literal);
    from += literal;
    to += literal;
    if (from === input.length) return to;
    if (from + 2 > input.length) throw broken();
    const back = input.readUInt16LE(from);
    from += 2;
    const copied = lengthOf(token & 15) + 4;
    if (back === 0 || back > to || copied > output.length - to) throw broken();
    to = copyWithin(output, to, back, copied);
  }
  return to;
}

function broken(): ParquetFormatError {
  return new ParquetFormatError('the LZ4 data of a page is broken');
}
