import type { LeafType, PhysicalType, TimeUnit } from './leaf-type.js';
import { physicalTypes } from './leaf-type.js';
import { ParquetFormatError } from './parquet-errors.js';
import type { ThriftReader } from './thrift-reader.js';

/** One line of the schema, as the footer lists it: a group is followed by its children. */
export interface SchemaElement {
  readonly name: string;
  readonly repetition: 'required' | 'optional' | 'repeated';
  readonly children: number;
  /** Of a group: whether its only child repeats as a list's or a map's entries. */
  readonly group: 'struct' | 'list' | 'map';
  /** Undefined for a group. */
  readonly leaf:
    { readonly physical: PhysicalType; readonly typeLength: number; readonly type: LeafType } | undefined;
}

const repetitions = ['required', 'optional', 'repeated'] as const;
const units: readonly (TimeUnit | undefined)[] = [undefined, 'millis', 'micros', 'nanos'];

/** A decimal may have so many digits behind the point, and bytes. */
const MOST_SCALE = 1000;
const MOST_DECIMAL_BYTES = 64;

/** What a value means, by the older and the newer notation. */
interface Annotation {
  converted?: number;
  scale?: number;
  precision?: number;
  /** Number of the logical type. */
  logical?: number;
  unit?: TimeUnit | undefined;
  utc?: boolean;
  bits?: number;
  signed?: boolean;
}

/** https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift (SchemaElement) */
export function readSchemaElement(reader: ThriftReader): SchemaElement {
  let physical: number | undefined;
  let typeLength = 0;
  let repetition = 0;
  let name = '';
  let children = 0;
  const found: Annotation = {};
  reader.struct({
    1: (type) => (physical = reader.integer(type)),
    2: (type) => (typeLength = reader.integer(type)),
    3: (type) => (repetition = reader.integer(type)),
    4: (type) => (name = reader.string(type)),
    5: (type) => (children = reader.integer(type)),
    6: (type) => (found.converted = reader.integer(type)),
    7: (type) => (found.scale = reader.integer(type)),
    8: (type) => (found.precision = reader.integer(type)),
    10: (type) => readLogicalType(reader, type, found),
  });
  const repeats = repetitions[repetition];
  if (repeats === undefined)
    throw new ParquetFormatError(`the column ${quoted(name)} has an unknown repetition`);
  if (physical === undefined) {
    return { name, repetition: repeats, children, group: groupKind(found), leaf: undefined };
  }
  const stored = physicalTypes[physical];
  if (stored === undefined)
    throw new ParquetFormatError(`the column ${quoted(name)} has the unknown type ${physical}`);
  if (stored === 'FIXED_LEN_BYTE_ARRAY' && !(typeLength >= 1 && typeLength <= 1 << 20)) {
    throw new ParquetFormatError(`the column ${quoted(name)} has values of ${typeLength} bytes`);
  }
  const type = leafType(stored, found);
  checkDecimal(name, type, typeLength);
  return {
    name,
    repetition: repeats,
    children: 0,
    group: 'struct',
    leaf: { physical: stored, typeLength, type },
  };
}

function readLogicalType(reader: ThriftReader, type: number, found: Annotation): void {
  const is = (logical: number) => (inner: number) => {
    found.logical = logical;
    reader.nested(inner, {});
  };
  const time = (logical: number) => (inner: number) => {
    found.logical = logical;
    reader.nested(inner, {
      1: (utc) => (found.utc = reader.boolean(utc)),
      2: (unit) => {
        const named = (number: number) => (nothing: number) => {
          found.unit = units[number];
          reader.nested(nothing, {});
        };
        reader.nested(unit, { 1: named(1), 2: named(2), 3: named(3) });
      },
    });
  };
  const decimal = (inner: number): void => {
    found.logical = 5;
    reader.nested(inner, {
      1: (scale) => (found.scale = reader.integer(scale)),
      2: (precision) => (found.precision = reader.integer(precision)),
    });
  };
  const integer = (inner: number): void => {
    found.logical = 10;
    reader.nested(inner, {
      1: (bits) => (found.bits = reader.integer(bits)),
      2: (signed) => (found.signed = reader.boolean(signed)),
    });
  };
  reader.nested(type, {
    1: is(1),
    2: is(2),
    3: is(3),
    4: is(4),
    5: decimal,
    6: is(6),
    7: time(7),
    8: time(8),
    10: integer,
    12: is(12),
    14: is(14),
    15: is(15),
  });
}

function groupKind({ converted, logical }: Annotation): SchemaElement['group'] {
  if (converted === 3 || logical === 3) return 'list';
  // 2 is how old writers mark the group of a map.
  return converted === 1 || converted === 2 || logical === 2 ? 'map' : 'struct';
}

function leafType(physical: PhysicalType, found: Annotation): LeafType {
  const { converted, logical } = found;
  const decimal = converted === 5 || logical === 5;
  switch (physical) {
    case 'BOOLEAN':
      return { kind: 'boolean' };
    case 'FLOAT':
      return { kind: 'float' };
    case 'DOUBLE':
      return { kind: 'double' };
    case 'INT96':
      return { kind: 'timestamp96' };
    case 'INT32':
      if (converted === 6 || logical === 6) return { kind: 'date' };
      if (converted === 7 || logical === 7) return timeType('time', found, 'millis');
      return decimal ? decimalType(found) : integerType(found, 32);
    case 'INT64':
      if (converted === 8 || logical === 7) return timeType('time', found, 'micros');
      if (converted === 9 || converted === 10 || logical === 8) {
        return timeType('timestamp', found, converted === 9 ? 'millis' : 'micros');
      }
      return decimal ? decimalType(found) : integerType(found, 64);
    case 'BYTE_ARRAY':
      if (decimal) return decimalType(found);
      // UTF8, ENUM and JSON; STRING, ENUM and JSON.
      if (converted === 0 || converted === 4 || converted === 19) return { kind: 'string' };
      return { kind: logical === 1 || logical === 4 || logical === 12 ? 'string' : 'bytes' };
    case 'FIXED_LEN_BYTE_ARRAY':
      if (decimal) return decimalType(found);
      if (logical === 14) return { kind: 'uuid' };
      return { kind: logical === 15 ? 'float16' : 'bytes' };
  }
}

function timeType(kind: 'time' | 'timestamp', found: Annotation, unit: TimeUnit): LeafType {
  // The older notation is always of instants.
  return { kind, unit: found.unit ?? unit, utc: found.utc ?? true };
}

function decimalType({ precision = 0, scale = 0 }: Annotation): LeafType {
  return { kind: 'decimal', precision, scale };
}

/** The older numbers 11 to 14 are unsigned, 15 to 18 signed, of 8, 16, 32 and 64 bits. */
function integerType({ converted = 0, bits, signed }: Annotation, stored: number): LeafType {
  if (bits !== undefined) return { kind: 'integer', bits, signed: signed ?? true };
  if (converted < 11 || converted > 18) return { kind: 'integer', bits: stored, signed: true };
  return { kind: 'integer', bits: 8 << ((converted - 11) % 4), signed: converted >= 15 };
}

function checkDecimal(name: string, type: LeafType, typeLength: number): void {
  if (type.kind !== 'decimal') return;
  if (type.scale >= 0 && type.scale <= MOST_SCALE && typeLength <= MOST_DECIMAL_BYTES) return;
  throw new ParquetFormatError(
    `the decimal column ${quoted(name)} has ${type.scale} digits behind the point and ${typeLength} bytes`,
  );
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}
