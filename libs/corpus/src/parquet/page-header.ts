import { ParquetFormatError } from './parquet-errors.js';
import { ThriftReader } from './thrift-reader.js';

/** How values may be written, in the order of Parquet's numbers. */
const encodings = [
  'PLAIN',
  'GROUP_VAR_INT',
  'PLAIN_DICTIONARY',
  'RLE',
  'BIT_PACKED',
  'DELTA_BINARY_PACKED',
  'DELTA_LENGTH_BYTE_ARRAY',
  'DELTA_BYTE_ARRAY',
  'RLE_DICTIONARY',
  'BYTE_STREAM_SPLIT',
] as const;

export type Encoding = (typeof encodings)[number];

export interface PageHeader {
  /** `data-2` keeps its levels outside of what is compressed. */
  readonly kind: 'data' | 'data-2' | 'dictionary' | 'other';
  /** Of the header itself. */
  readonly headerBytes: number;
  /** In the file, and decompressed. */
  readonly storedBytes: number;
  readonly bytes: number;
  /** Of a dictionary its values; else entries: values, nulls and empty lists. */
  readonly entries: number;
  readonly encoding: Encoding;
  /** `data-2` alone: rows that start in it, bytes of its levels, and whether the rest is compressed. */
  readonly rows: number;
  readonly repetitionBytes: number;
  readonly definitionBytes: number;
  readonly compressed: boolean;
}

/** A page may be so large, decompressed: the largest that known writers make have 100 MB. */
const MOST_PAGE_BYTES = 1 << 27;
/** And have so many entries: a page of nulls has next to no bytes. */
const MOST_ENTRIES = 1 << 24;
const BIT_PACKED = 4;

/**
 * @param bytes start with the header
 * @throws UnexpectedEndError when they end before it does
 * @throws ParquetFormatError when it is none, or its page is too large
 */
export function readPageHeader(bytes: Buffer): PageHeader {
  const reader = new ThriftReader(bytes);
  const found = {
    type: -1,
    bytes: -1,
    storedBytes: -1,
    entries: 0,
    encoding: 0,
    rows: 0,
    repetitionBytes: 0,
    definitionBytes: 0,
    compressed: true,
  };
  const levels = (type: number): void => {
    if (reader.integer(type) === BIT_PACKED)
      throw new ParquetFormatError('its levels have the retired encoding BIT_PACKED');
  };
  reader.struct({
    1: (type) => (found.type = reader.integer(type)),
    2: (type) => (found.bytes = reader.integer(type)),
    3: (type) => (found.storedBytes = reader.integer(type)),
    5: (page) =>
      reader.nested(page, {
        1: (type) => (found.entries = reader.integer(type)),
        2: (type) => (found.encoding = reader.integer(type)),
        3: levels,
        4: levels,
      }),
    7: (page) =>
      reader.nested(page, {
        1: (type) => (found.entries = reader.integer(type)),
        2: (type) => (found.encoding = reader.integer(type)),
      }),
    8: (page) =>
      reader.nested(page, {
        1: (type) => (found.entries = reader.integer(type)),
        3: (type) => (found.rows = reader.integer(type)),
        4: (type) => (found.encoding = reader.integer(type)),
        5: (type) => (found.definitionBytes = reader.integer(type)),
        6: (type) => (found.repetitionBytes = reader.integer(type)),
        7: (type) => (found.compressed = reader.boolean(type)),
      }),
  });
  const { type, encoding: number, ...sizes } = found;
  const encoding = encodings[number];
  if (encoding === undefined) throw new ParquetFormatError(`a page has the unknown encoding ${number}`);
  checkSizes(sizes);
  return { ...sizes, kind: pageKind(type), encoding, headerBytes: reader.at };
}

function pageKind(type: number): PageHeader['kind'] {
  if (type === 0) return 'data';
  if (type === 2) return 'dictionary';
  return type === 3 ? 'data-2' : 'other';
}

type Sizes = Pick<
  PageHeader,
  'bytes' | 'storedBytes' | 'entries' | 'rows' | 'repetitionBytes' | 'definitionBytes'
>;

function checkSizes(sizes: Sizes): void {
  const { bytes, storedBytes, entries, rows, repetitionBytes, definitionBytes } = sizes;
  if (!(bytes >= 0 && bytes <= MOST_PAGE_BYTES && storedBytes >= 0)) {
    throw new ParquetFormatError(
      `a page claims ${storedBytes} bytes and ${bytes} decompressed; ${MOST_PAGE_BYTES} are read at most`,
    );
  }
  if (!(entries >= 0 && entries <= MOST_ENTRIES && rows >= 0 && rows <= entries)) {
    throw new ParquetFormatError(`a page claims ${entries} entries; ${MOST_ENTRIES} are read at most`);
  }
  const levels = repetitionBytes + definitionBytes;
  if (!(repetitionBytes >= 0 && definitionBytes >= 0 && levels <= storedBytes && levels <= bytes)) {
    throw new ParquetFormatError(`a page of ${storedBytes} bytes claims ${levels} bytes of levels`);
  }
}
