import { readDeltas, readLengths } from './deltas.js';
import type { PhysicalType } from './leaf-type.js';
import { widthOf } from './leaf-type.js';
import type { Encoding } from './page-header.js';
import { ParquetFormatError } from './parquet-errors.js';
import { readRunLengths } from './run-lengths.js';
import type { ValueText } from './value-text.js';

/** Gives the values of a page one after another, as `ValueText` makes them. */
export type NextValue = () => string | undefined;

/** How a column stores its values. */
export interface ValueFormat {
  readonly physical: PhysicalType;
  readonly typeLength: number;
  readonly text: ValueText;
}

/**
 * The values of a page.
 * @param bytes the page's values, without levels
 * @param count how many they are: the result may be called so often
 * @param dictionary of the column, where it has one
 * @throws ParquetFormatError when the values are not there; so may the result
 */
export function pageValues(
  encoding: Encoding,
  bytes: Buffer,
  count: number,
  format: ValueFormat,
  dictionary: readonly (string | undefined)[] | undefined,
): NextValue {
  if (count === 0) return () => undefined;
  switch (encoding) {
    case 'PLAIN':
      return plainValues(bytes, count, format);
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY':
      return dictionaryValues(bytes, count, dictionary);
    case 'RLE':
      if (format.physical === 'BOOLEAN') return runLengthBooleans(bytes, count, format);
      break;
    case 'DELTA_BINARY_PACKED':
      return deltaValues(bytes, count, format);
    case 'DELTA_LENGTH_BYTE_ARRAY':
      if (format.physical === 'BYTE_ARRAY') return lengthsFirstValues(bytes, count, format);
      break;
    case 'DELTA_BYTE_ARRAY':
      return prefixedValues(bytes, count, format);
    case 'BYTE_STREAM_SPLIT':
      return splitValues(bytes, count, format);
    case 'GROUP_VAR_INT':
    case 'BIT_PACKED':
      break;
  }
  throw new ParquetFormatError(`a page has ${format.physical} values in the encoding ${encoding}`);
}

/** All values of a dictionary. @throws ParquetFormatError */
export function dictionaryTexts(bytes: Buffer, count: number, format: ValueFormat): (string | undefined)[] {
  // No value takes less than a byte, so that no more is made room for than is there.
  if (count > bytes.length)
    throw new ParquetFormatError(`a dictionary of ${bytes.length} bytes claims ${count} values`);
  const next = pageValues('PLAIN', bytes, count, format, undefined);
  return Array.from({ length: count }, next);
}

function plainValues(bytes: Buffer, count: number, { physical, typeLength, text }: ValueFormat): NextValue {
  if (physical === 'BOOLEAN') {
    expectBytes(bytes, Math.ceil(count / 8));
    let index = 0;
    return () => {
      const bit = (bytes[index >> 3]! >> (index & 7)) & 1;
      index++;
      return bit === 0 ? 'false' : 'true';
    };
  }
  const width = widthOf(physical, typeLength);
  return width === undefined ? lengthPrefixed(bytes, count, text) : fixedValues(bytes, count, width, text);
}

function fixedValues(bytes: Buffer, count: number, width: number, text: ValueText): NextValue {
  expectBytes(bytes, count * width);
  let end = 0;
  return () => {
    end += width;
    return text(bytes, end - width, end);
  };
}

/** Each behind its length, of four bytes. */
function lengthPrefixed(bytes: Buffer, count: number, text: ValueText): NextValue {
  expectBytes(bytes, count * 4);
  let at = 0;
  return () => {
    expectBytes(bytes, at + 4);
    const start = at + 4;
    at = start + bytes.readUInt32LE(at);
    expectBytes(bytes, at);
    return text(bytes, start, at);
  };
}

function dictionaryValues(
  bytes: Buffer,
  count: number,
  dictionary: readonly (string | undefined)[] | undefined,
): NextValue {
  if (dictionary === undefined) throw new ParquetFormatError('a page needs a dictionary, and there is none');
  expectBytes(bytes, 1);
  const width = bytes[0]!;
  if (dictionary.length === 0) throw new ParquetFormatError('a page needs its dictionary, which is empty');
  const places = new Uint32Array(count);
  // Of a single value some writers give no runs.
  if (width > 0) readRunLengths(bytes.subarray(1), width, places, dictionary.length - 1);
  let index = 0;
  return () => dictionary[places[index++]!];
}

function runLengthBooleans(bytes: Buffer, count: number, { text }: ValueFormat): NextValue {
  expectBytes(bytes, 4);
  const length = bytes.readUInt32LE(0);
  expectBytes(bytes, 4 + length);
  const flags = Buffer.alloc(count);
  readRunLengths(bytes.subarray(4, 4 + length), 1, flags, 1);
  return fixedValues(flags, count, 1, text);
}

function deltaValues(bytes: Buffer, count: number, { physical, text }: ValueFormat): NextValue {
  const { numbers } = readDeltas(bytes, 0, count);
  if (physical === 'INT32') return fixedValues(asBuffer(Int32Array.from(numbers, Number)), count, 4, text);
  if (physical === 'INT64') return fixedValues(asBuffer(numbers), count, 8, text);
  throw new ParquetFormatError(`a page has deltas of ${physical} values`);
}

/** Values back to back, behind their lengths. */
function lengthsFirstValues(bytes: Buffer, count: number, { text }: ValueFormat): NextValue {
  const { lengths, end, total } = readLengths(bytes, 0, count);
  expectBytes(bytes, end + total);
  let at = end;
  let index = 0;
  return () => {
    const start = at;
    at += lengths[index++]!;
    return text(bytes, start, at);
  };
}

/** Each value takes its start from the one before it. */
function prefixedValues(
  bytes: Buffer,
  count: number,
  { physical, typeLength, text }: ValueFormat,
): NextValue {
  const prefixes = readLengths(bytes, 0, count);
  const suffixes = readLengths(bytes, prefixes.end, count);
  expectBytes(bytes, suffixes.end + suffixes.total);
  const width = widthOf(physical, typeLength);
  if (width !== undefined && physical !== 'FIXED_LEN_BYTE_ARRAY') {
    throw new ParquetFormatError(`a page has ${physical} values in the encoding DELTA_BYTE_ARRAY`);
  }
  let at = suffixes.end;
  let index = 0;
  let value: Buffer = Buffer.alloc(0);
  return () => {
    const prefix = prefixes.lengths[index]!;
    const suffix = suffixes.lengths[index++]!;
    if (prefix > value.length) throw new ParquetFormatError('a value shares more than the one before it has');
    value = Buffer.concat([value.subarray(0, prefix), bytes.subarray(at, at + suffix)]);
    at += suffix;
    if (width !== undefined) expectBytes(value, width);
    return text(value, 0, value.length);
  };
}

/** The first bytes of all values, then their second ones, and so on. */
function splitValues(bytes: Buffer, count: number, { physical, typeLength, text }: ValueFormat): NextValue {
  const width = widthOf(physical, typeLength);
  if (width === undefined) throw new ParquetFormatError(`a page has ${physical} values split by bytes`);
  expectBytes(bytes, count * width);
  const values = Buffer.allocUnsafe(count * width);
  for (let byte = 0; byte < width; byte++) {
    for (let index = 0; index < count; index++) values[index * width + byte] = bytes[byte * count + index]!;
  }
  return fixedValues(values, count, width, text);
}

function asBuffer({ buffer, byteOffset, byteLength }: Int32Array | BigInt64Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function expectBytes(bytes: Buffer, length: number): void {
  if (length > bytes.length) throw new ParquetFormatError('a page has fewer bytes than its values need');
}
