import { isUtf8 } from 'node:buffer';
import { shortestFloat } from '../shortest-float.js';
import type { LeafType, PhysicalType, TimeUnit } from './leaf-type.js';
import { ParquetFormatError } from './parquet-errors.js';

/**
 * A value as text, from its bytes `start` to `end` as they are stored: of a string column the string itself, of every
 * other the JSON of the value. Undefined where a string is not UTF-8.
 */
export type ValueText = (bytes: Buffer, start: number, end: number) => string | undefined;

const DAY_MILLIS = 86_400_000;
const DAY_NANOS = 86_400_000_000_000n;
/** The day of 1 January 1970 in the count that 96-bit timestamps use. */
const JULIAN_EPOCH = 2_440_588;
/** Beyond that a date has no ISO 8601 text. */
const MOST_MILLIS = 8.64e15;
const MOST_DECIMAL_BYTES = 64;

/** Units of a second, and digits that say them. */
export const perSecond: Readonly<Record<TimeUnit, bigint>> = {
  millis: 1000n,
  micros: 1_000_000n,
  nanos: 1_000_000_000n,
};

/**
 * How a column's values are written in JSON. Whole numbers and decimals with all their digits; dates and times as ISO
 * 8601; bytes as base64; numbers that JSON does not have as the strings NaN, Infinity and -Infinity. A date or time
 * that ISO 8601 cannot say is its stored number.
 */
export function valueText(type: LeafType, physical: PhysicalType): ValueText {
  switch (type.kind) {
    case 'string':
      return utf8Text;
    case 'boolean':
      return (bytes, start) => (bytes[start] === 0 ? 'false' : 'true');
    case 'integer':
      return integerText(physical, type.signed);
    case 'float':
      return (bytes, start) => floatJson(bytes.readFloatLE(start), shortestFloat);
    case 'double':
      return (bytes, start) => floatJson(bytes.readDoubleLE(start), String);
    case 'float16':
      return (bytes, start) => floatJson(halfFloat(bytes.readUInt16LE(start)), String);
    case 'decimal':
      return decimalText(physical, type.scale);
    case 'date':
      return (bytes, start) => dateJson(bytes.readInt32LE(start));
    case 'time':
      return timeText(physical, type.unit);
    case 'timestamp':
      return (bytes, start) => timestampJson(bytes.readBigInt64LE(start), type.unit, type.utc);
    case 'timestamp96':
      return (bytes, start) => {
        const days = BigInt(bytes.readUInt32LE(start + 8) - JULIAN_EPOCH);
        return timestampJson(days * DAY_NANOS + bytes.readBigInt64LE(start), 'nanos', false);
      };
    case 'uuid':
      return (bytes, start, end) =>
        `"${bytes.toString('hex', start, end).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}"`;
    case 'bytes':
      return (bytes, start, end) => `"${bytes.toString('base64', start, end)}"`;
  }
}

/** Of bytes that are read as a string, whatever their column says that they are. */
export function utf8Text(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString('utf8', start, end);
  // Only what is not UTF-8 becomes this character, unless it was written.
  return text.includes('\uFFFD') && !isUtf8(bytes.subarray(start, end)) ? undefined : text;
}

function integerText(physical: PhysicalType, signed: boolean): ValueText {
  if (physical === 'INT32') {
    return (bytes, start) => String(signed ? bytes.readInt32LE(start) : bytes.readUInt32LE(start));
  }
  return (bytes, start) => String(signed ? bytes.readBigInt64LE(start) : bytes.readBigUInt64LE(start));
}

function floatJson(value: number, text: (finite: number) => string): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0' : text(value);
}

/** IEEE 754 binary16: 1 bit sign, 5 bits exponent, 10 bits fraction. */
function halfFloat(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function decimalText(physical: PhysicalType, scale: number): ValueText {
  if (physical === 'INT32') return (bytes, start) => decimalJson(BigInt(bytes.readInt32LE(start)), scale);
  if (physical === 'INT64') return (bytes, start) => decimalJson(bytes.readBigInt64LE(start), scale);
  return (bytes, start, end) => {
    if (end - start > MOST_DECIMAL_BYTES) {
      throw new ParquetFormatError(
        `a decimal has ${end - start} bytes; ${MOST_DECIMAL_BYTES} are read at most`,
      );
    }
    return decimalJson(signedBigEndian(bytes, start, end), scale);
  };
}

function signedBigEndian(bytes: Buffer, start: number, end: number): bigint {
  if (start === end) return 0n;
  return BigInt.asIntN((end - start) * 8, BigInt(`0x${bytes.toString('hex', start, end)}`));
}

function decimalJson(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function dateJson(days: number): string {
  const millis = days * DAY_MILLIS;
  if (Math.abs(millis) > MOST_MILLIS) return String(days);
  return `"${new Date(millis).toISOString().replace(/T.*/, '')}"`;
}

/** Of a day. */
function timeText(physical: PhysicalType, unit: TimeUnit): ValueText {
  return (bytes, start) => {
    const value = physical === 'INT32' ? BigInt(bytes.readInt32LE(start)) : bytes.readBigInt64LE(start);
    if (value < 0n || value >= 86_400n * perSecond[unit]) return String(value);
    return timestampJson(value, unit, false).replace(/^"[^T]*T/, '"');
  };
}

function timestampJson(value: bigint, unit: TimeUnit, utc: boolean): string {
  const units = perSecond[unit];
  const seconds = (value - (((value % units) + units) % units)) / units;
  const part = String(value - seconds * units).padStart(String(units).length - 1, '0');
  const millis = Number(seconds) * 1000;
  if (Math.abs(millis) > MOST_MILLIS) return String(value);
  return `"${new Date(millis).toISOString().replace(/\.000Z$/, '')}.${part}${utc ? 'Z' : ''}"`;
}
