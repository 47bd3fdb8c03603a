import { ParquetFormatError } from './parquet-errors.js';
import { readVarint } from './run-lengths.js';

/** A block of deltas may be so large; writers take 128. */
const MOST_BLOCK = 1 << 16;

/**
 * Whole numbers written as differences.
 *
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/ (DELTA_BINARY_PACKED)
 *
 * @param count how many must be there
 * @returns the numbers, modulo 2^64, and the index behind them
 * @throws ParquetFormatError
 */
export function readDeltas(
  bytes: Buffer,
  start: number,
  count: number,
): { numbers: BigInt64Array; end: number } {
  const [block, afterBlock] = readVarint(bytes, start);
  const [minis, afterMinis] = readVarint(bytes, afterBlock);
  const [total, afterTotal] = readVarint(bytes, afterMinis);
  const [first, afterFirst] = readZigzag(bytes, afterTotal);
  const perMini = block / minis;
  if (!(block <= MOST_BLOCK && minis >= 1 && perMini >= 8 && perMini % 8 === 0)) {
    throw new ParquetFormatError(`a page has blocks of ${block} deltas in ${minis} parts`);
  }
  if (total !== count) throw new ParquetFormatError(`a page has ${total} deltas for ${count} values`);
  // What is not there takes no memory: a block of deltas has a byte for each of its parts at least.
  const parts = Math.ceil(Math.max(0, count - 1) / perMini);
  if (parts > bytes.length) throw ended();
  const numbers = new BigInt64Array(count);
  let at = afterFirst;
  let value = first;
  if (count > 0) numbers[0] = value;
  for (let filled = 1; filled < count;) {
    const [least, widths] = readZigzag(bytes, at);
    at = widths + minis;
    for (let mini = 0; mini < minis && filled < count; mini++) {
      const width = bytes[widths + mini];
      if (width === undefined || width > 64) throw ended();
      const end = at + (perMini / 8) * width;
      const used = Math.min(perMini, count - filled);
      if (at + Math.ceil((used * width) / 8) > bytes.length) throw ended();
      for (let index = 0; index < used; index++) {
        value = BigInt.asIntN(64, value + least + readBigBits(bytes, at * 8 + index * width, width));
        numbers[filled++] = value;
      }
      at = end;
    }
  }
  return { numbers, end: at };
}

/** @returns a signed number of 64 bits, and the index behind it */
function readZigzag(bytes: Buffer, start: number): [value: bigint, behind: number] {
  let value = 0n;
  for (let at = start; at < start + 10; at++) {
    const byte = bytes[at];
    if (byte === undefined) throw ended();
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - start));
    if (byte < 0x80) return [(value >> 1n) ^ -(value & 1n), at + 1];
  }
  throw new ParquetFormatError('a page has a number without end');
}

function readBigBits(bytes: Buffer, firstBit: number, width: number): bigint {
  if (width <= 32) return BigInt(readBits(bytes, firstBit, width));
  return BigInt(readBits(bytes, firstBit, 32)) + (BigInt(readBits(bytes, firstBit + 32, width - 32)) << 32n);
}

/** Up to 32 bits, the lowest first. */
function readBits(bytes: Buffer, firstBit: number, width: number): number {
  let value = 0;
  let got = 0;
  for (let at = Math.floor(firstBit / 8), shift = firstBit % 8; got < width; at++) {
    value += (bytes[at]! >> shift) * 2 ** got;
    got += 8 - shift;
    shift = 0;
  }
  return value % 2 ** width;
}

/**
 * Lengths written as differences, of values that follow.
 * @throws ParquetFormatError when they do not fit in what follows
 */
export function readLengths(
  bytes: Buffer,
  start: number,
  count: number,
): { lengths: Uint32Array; end: number; total: number } {
  const { numbers, end } = readDeltas(bytes, start, count);
  let total = 0;
  const lengths = Uint32Array.from(numbers, (length) => {
    if (length < 0n || length > BigInt(bytes.length)) {
      throw new ParquetFormatError(`a page has a value of ${length} bytes`);
    }
    total += Number(length);
    return Number(length);
  });
  return { lengths, end, total };
}

function ended(): ParquetFormatError {
  return new ParquetFormatError('a page ends too early');
}
