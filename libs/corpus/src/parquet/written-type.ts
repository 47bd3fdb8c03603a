import type { ParquetWriter } from 'hyparquet-writer';
import { stringValue } from '../json-fields.js';
import type { LeafType, TimeUnit } from './leaf-type.js';
import { perSecond } from './value-text.js';

export type ParquetSchema = ConstructorParameters<typeof ParquetWriter>[0]['schema'];
type SchemaElement = ParquetSchema[number];

/**
 * What a written column holds. `json` is for values of several types, lists and objects, as JSON text; `digits` for
 * numbers that no type of numbers holds, as strings.
 */
export type WrittenType = LeafType | { readonly kind: 'json' | 'digits' };

/** A value as the Parquet library takes it. */
export type WrittenValue = boolean | number | bigint | string | Uint8Array;

/** Turns a JSON value other than null into that of a column; undefined where it does not fit in, exactly. */
export type ValueOfJson = (json: string) => WrittenValue | undefined;

const DAY_MILLIS = 86_400_000;
const WHOLE_NUMBER = /^-?\d+$/;
const NUMBER = /^-?\d/;

/** The column of a type. */
export function schemaElement(name: string, type: WrittenType, required: boolean): SchemaElement {
  return { name, repetition_type: required ? 'REQUIRED' : 'OPTIONAL', ...storage(type) };
}

function storage(type: WrittenType): Omit<SchemaElement, 'name'> {
  switch (type.kind) {
    case 'boolean':
      return { type: 'BOOLEAN' };
    case 'integer':
      return integerStorage(type.bits, type.signed);
    case 'float':
      return { type: 'FLOAT' };
    case 'double':
      return { type: 'DOUBLE' };
    case 'float16':
      return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, logical_type: { type: 'FLOAT16' } };
    case 'string':
    case 'digits':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
    case 'json':
      return { type: 'BYTE_ARRAY', logical_type: { type: 'JSON' } };
    case 'bytes':
      return { type: 'BYTE_ARRAY' };
    case 'uuid':
      return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } };
    case 'date':
      return { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } };
    case 'time':
      return {
        type: type.unit === 'millis' ? 'INT32' : 'INT64',
        logical_type: { type: 'TIME', isAdjustedToUTC: type.utc, unit: unitName(type.unit) },
      };
    case 'timestamp':
      return timestampStorage(type.unit, type.utc);
    case 'timestamp96':
      return timestampStorage('nanos', false);
    case 'decimal':
      return decimalStorage(type.precision, type.scale);
  }
}

function integerStorage(bits: number, signed: boolean): Omit<SchemaElement, 'name'> {
  const type = bits === 64 ? 'INT64' : 'INT32';
  if (signed && bits >= 32) return { type };
  const width = bits === 8 ? 8 : bits === 16 ? 16 : bits === 32 ? 32 : 64;
  const converted_type = signed ? (`INT_${width}` as const) : (`UINT_${width}` as const);
  // Of the newer notation the library writes a field in a width that strict readers refuse.
  return { type, converted_type };
}

function timestampStorage(unit: TimeUnit, utc: boolean): Omit<SchemaElement, 'name'> {
  return {
    type: 'INT64',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: utc, unit: unitName(unit) },
  };
}

function decimalStorage(precision: number, scale: number): Omit<SchemaElement, 'name'> {
  const meaning = {
    converted_type: 'DECIMAL',
    logical_type: { type: 'DECIMAL', precision, scale },
    precision,
    scale,
  } as const;
  if (precision <= 9) return { type: 'INT32', ...meaning };
  if (precision <= 18) return { type: 'INT64', ...meaning };
  const type_length = Math.ceil((precision * Math.log2(10) + 1) / 8);
  return { type: 'FIXED_LEN_BYTE_ARRAY', type_length, ...meaning };
}

function unitName(unit: TimeUnit): 'MILLIS' | 'MICROS' | 'NANOS' {
  return unit === 'millis' ? 'MILLIS' : unit === 'micros' ? 'MICROS' : 'NANOS';
}

/** The inverse of `valueText`. */
export function valueOfJson(type: WrittenType): ValueOfJson {
  switch (type.kind) {
    case 'boolean':
      return (json) => (json === 'true' ? true : json === 'false' ? false : undefined);
    case 'integer':
      return (json) => integer(json, type.bits, type.signed);
    case 'float':
      return (json) => floatNumber(json, (value) => Number.isFinite(Math.fround(value)));
    case 'double':
      return (json) => floatNumber(json, Number.isFinite);
    case 'float16':
      return (json) => floatNumber(json, (value) => Math.abs(value) <= 65504);
    case 'string':
      return (json) => (json.startsWith('"') ? stringValue(json) : undefined);
    case 'digits':
      return (json) => json;
    case 'json':
      return (json) => Buffer.from(json);
    case 'bytes':
      return base64Bytes;
    case 'uuid':
      return (json) =>
        /^"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"$/.test(json) ? json.slice(1, -1) : undefined;
    case 'date':
      return days;
    case 'time':
      return (json) => {
        const value = /^"\d\d:/.test(json)
          ? instant(`"1970-01-01T${json.slice(1)}`, type.unit, false)
          : whole(json);
        return type.unit === 'millis' && value !== undefined ? Number(value) : value;
      };
    case 'timestamp':
      return (json) => instant(json, type.unit, type.utc) ?? whole(json);
    case 'timestamp96':
      return (json) => instant(json, 'nanos', false);
    case 'decimal':
      return (json) => decimal(json, type.precision, type.scale);
  }
}

function integer(json: string, bits: number, signed: boolean): number | bigint | undefined {
  if (!WHOLE_NUMBER.test(json) || json === '-0') return undefined;
  const value = BigInt(json);
  if ((signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) !== value) return undefined;
  return bits === 64 ? value : Number(value);
}

function floatNumber(json: string, fits: (value: number) => boolean): number | undefined {
  if (json.startsWith('"')) return /^"(NaN|-?Infinity)"$/.test(json) ? Number(json.slice(1, -1)) : undefined;
  const value = NUMBER.test(json) ? Number(json) : NaN;
  return fits(value) ? value : undefined;
}

function base64Bytes(json: string): Uint8Array | undefined {
  const bytes = Buffer.from(json.slice(1, -1), 'base64');
  return json === `"${bytes.toString('base64')}"` ? bytes : undefined;
}

function days(json: string): number | undefined {
  if (!json.startsWith('"')) return Number(integer(json, 32, true) ?? NaN) || (json === '0' ? 0 : undefined);
  const value = Date.parse(`${json.slice(1, -1)}T00:00:00Z`) / DAY_MILLIS;
  return Number.isInteger(value) ? value : undefined;
}

function whole(json: string): bigint | undefined {
  const value = integer(json, 64, true);
  return typeof value === 'bigint' ? value : undefined;
}

/** In units since 1970, of 64 bits. */
function instant(json: string, unit: TimeUnit, utc: boolean): bigint | undefined {
  const [, start, part = '', zone] = /^"([^".]*T[^".]*)\.(\d+)(Z?)"$/.exec(json) ?? [];
  const units = perSecond[unit];
  if (start === undefined || part.length !== String(units).length - 1 || (zone === 'Z') !== utc)
    return undefined;
  const millis = Date.parse(`${start}Z`);
  if (Number.isNaN(millis)) return undefined;
  const value = BigInt(millis / 1000) * units + BigInt(part);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function decimal(json: string, precision: number, scale: number): bigint | undefined {
  const [, digits, part = ''] = /^(-?\d+)(?:\.(\d+))?$/.exec(json) ?? [];
  if (digits === undefined || part.length !== scale) return undefined;
  const value = BigInt(digits + part);
  return String(value < 0n ? -value : value).length <= precision ? value : undefined;
}
