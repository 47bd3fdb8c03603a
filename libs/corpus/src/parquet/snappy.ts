import { ParquetFormatError } from './parquet-errors.js';

/**
 * Decompresses one block of Snappy. Its length is known before, so that no claim of the block itself is believed.
 *
 * https://github.com/google/snappy/blob/main/format_description.txt
 *
 * @param length bytes that must come out
 * @throws ParquetFormatError
 */
export function decompressSnappy(input: Buffer, length: number): Buffer {
  const output = Buffer.allocUnsafeSlow(length);
  let from = passLength(input);
  let to = 0;
  while (from < input.length) {
    const tag = input[from++]!;
    if ((tag & 3) === 0) {
      let literal = (tag >> 2) + 1;
      if (literal > 60) {
        const bytes = literal - 60;
        if (from + bytes > input.length) throw broken();
        literal = input.readUIntLE(from, bytes) + 1;
        from += bytes;
      }
      if (literal > input.length - from || literal > length - to) throw broken();
      input.copy(output, to, from, from + literal);
      from += literal;
      to += literal;
      continue;
    }
    const bytes = 1 << ((tag & 3) - 1);
    if (from + bytes > input.length) throw broken();
    const short = (tag & 3) === 1;
    const copied = short ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const back = input.readUIntLE(from, bytes) + (short ? (tag >> 5) << 8 : 0);
    from += bytes;
    if (back === 0 || back > to || copied > length - to) throw broken();
    to = copyWithin(output, to, back, copied);
  }
  if (to !== length) throw broken();
  return output;
}

/** Repeats what stands `back` bytes before, which may reach into what is being written. @returns its end */
export function copyWithin(output: Buffer, to: number, back: number, length: number): number {
  const end = to + length;
  if (back >= length) output.copyWithin(to, to - back, end - back);
  else for (let at = to; at < end; at++) output[at] = output[at - back]!;
  return end;
}

/** Behind the varint that states the length. */
function passLength(input: Buffer): number {
  for (let at = 0; at < Math.min(5, input.length); at++) if (input[at]! < 0x80) return at + 1;
  throw broken();
}

function broken(): ParquetFormatError {
  return new ParquetFormatError('the Snappy data of a page is broken');
}
