/** How Parquet stores a value, in the order of its numbers. */
export const physicalTypes = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
] as const;

export type PhysicalType = (typeof physicalTypes)[number];

export type TimeUnit = 'millis' | 'micros' | 'nanos';

/** What the values of a column mean. */
export type LeafType =
  | { readonly kind: 'boolean' | 'float' | 'double' | 'float16' | 'string' | 'bytes' | 'uuid' | 'date' }
  | { readonly kind: 'integer'; readonly bits: number; readonly signed: boolean }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'time' | 'timestamp'; readonly unit: TimeUnit; readonly utc: boolean }
  /** The old 96-bit timestamp: nanoseconds of a day, and the day. */
  | { readonly kind: 'timestamp96' };

/** Bytes of a stored value; undefined where they vary, or are bits. */
export function widthOf(physical: PhysicalType, typeLength: number): number | undefined {
  switch (physical) {
    case 'INT32':
    case 'FLOAT':
      return 4;
    case 'INT64':
    case 'DOUBLE':
      return 8;
    case 'INT96':
      return 12;
    case 'FIXED_LEN_BYTE_ARRAY':
      return typeLength;
    case 'BOOLEAN':
    case 'BYTE_ARRAY':
      return undefined;
  }
}
