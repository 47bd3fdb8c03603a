import { ParquetFormatError } from './parquet-errors.js';

/**
 * Reads numbers that are written as runs of one value, and as bits back to back: levels, and places in a dictionary.
 * A run beyond the last number that is asked for is cut, whatever length it claims.
 *
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/ (RLE/bit-packing hybrid)
 *
 * @param width bits of a number, 0 to 32
 * @param numbers is filled, `[n]`
 * @param most largest number that is allowed
 * @throws ParquetFormatError
 */
export function readRunLengths(
  bytes: Buffer,
  width: number,
  numbers: Uint8Array | Uint32Array,
  most: number,
): void {
  if (width > 32) throw new ParquetFormatError(`a page has numbers of ${width} bits`);
  let at = 0;
  let filled = 0;
  while (filled < numbers.length) {
    const [header, behind] = readVarint(bytes, at);
    at = behind;
    const left = numbers.length - filled;
    if (header % 2 === 0) {
      const valueBytes = (width + 7) >> 3;
      if (at + valueBytes > bytes.length) throw ended();
      const value = valueBytes === 0 ? 0 : bytes.readUIntLE(at, valueBytes);
      at += valueBytes;
      const run = Math.min(header / 2, left);
      // A run of nothing is no progress, and no writer's.
      if (run === 0) throw new ParquetFormatError('a page has an empty run');
      if (value > most) throw outOfRange(value, most);
      numbers.fill(value, filled, filled + run);
      filled += run;
    } else {
      const groups = (header - 1) / 2;
      if (groups === 0) throw new ParquetFormatError('a page has an empty run');
      const packed = Math.min(groups * 8, left);
      readBits(bytes.subarray(at), width, numbers.subarray(filled, filled + packed), most);
      at += groups * width;
      filled += packed;
    }
  }
}

/** @returns the number, and the index behind it */
export function readVarint(bytes: Buffer, start: number): [value: number, behind: number] {
  let value = 0;
  for (let at = start, unit = 1; at < start + 5; at++, unit *= 128) {
    const byte = bytes[at];
    if (byte === undefined) throw ended();
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) return [value, at + 1];
  }
  throw new ParquetFormatError('a page has a length without end');
}

/** Numbers of `width` bits each, the lowest bit first. The last byte that they need must be there. */
function readBits(bytes: Buffer, width: number, numbers: Uint8Array | Uint32Array, most: number): void {
  if (Math.ceil((numbers.length * width) / 8) > bytes.length) throw ended();
  for (let index = 0, bit = 0; index < numbers.length; index++, bit += width) {
    let value = 0;
    let got = 0;
    // Of up to five bytes.
    for (let at = bit >> 3, shift = bit & 7; got < width; at++) {
      value += (bytes[at]! >> shift) * 2 ** got;
      got += 8 - shift;
      shift = 0;
    }
    value %= 2 ** width;
    if (value > most) throw outOfRange(value, most);
    numbers[index] = value;
  }
}

function ended(): ParquetFormatError {
  return new ParquetFormatError('a page ends too early');
}

function outOfRange(value: number, most: number): ParquetFormatError {
  return new ParquetFormatError(`a page has the level or place ${value}, and ${most} is the last there is`);
}
