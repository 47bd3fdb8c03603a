import { physicalTypes } from './leaf-type.js';
import { ParquetFormatError } from './parquet-errors.js';
import type { Leaf } from './parquet-schema.js';
import type { ThriftReader } from './thrift-reader.js';

/** How the pages of a column may be compressed, in the order of Parquet's numbers. */
export const codecs = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'LZO', 'BROTLI', 'LZ4', 'ZSTD', 'LZ4_RAW'] as const;

export type Codec = (typeof codecs)[number];

/** The pages of one column in one row group. */
export interface ColumnChunk {
  readonly codec: Codec;
  /** Entries of its levels: its values, nulls and empty lists. */
  readonly entries: number;
  /** Its bytes in the file. */
  readonly start: number;
  readonly end: number;
}

export interface RowGroup {
  readonly rows: number;
  /** By the index of the leaf. */
  readonly columns: readonly ColumnChunk[];
  /** Of all its columns in the file. */
  readonly bytes: number;
}

/** In front of the first column is the file's mark. */
const FIRST_BYTE = 4;
/** A dictionary stands in front of the values where there is one; some writers say 0 where there is none. */
const NO_DICTIONARY = 0;

/** @param dataEnd where the last column must have ended @throws ParquetFormatError */
export function readRowGroup(
  reader: ThriftReader,
  type: number,
  leaves: readonly Leaf[],
  dataEnd: number,
): RowGroup {
  const columns: ColumnChunk[] = [];
  let rows = 0;
  let bytes = 0;
  reader.nested(type, {
    1: (list) =>
      reader.list(list, (column) => {
        const leaf = leaves[columns.length];
        if (leaf === undefined) throw new ParquetFormatError('a row group has more columns than the schema');
        const chunk = readColumnChunk(reader, column, leaf, dataEnd);
        bytes += chunk.end - chunk.start;
        columns.push(chunk);
      }),
    3: (number) => (rows = reader.integer(number)),
  });
  if (rows < 0) throw new ParquetFormatError(`a row group claims ${rows} rows`);
  if (columns.length !== leaves.length) {
    throw new ParquetFormatError(
      `a row group has ${columns.length} of the schema's ${leaves.length} columns`,
    );
  }
  for (const [index, { maxRepetition, path }] of leaves.entries()) {
    const { entries } = columns[index]!;
    if (maxRepetition === 0 ? entries !== rows : entries < rows) {
      throw new ParquetFormatError(
        `the column ${path} has ${entries} entries in a row group of ${rows} rows`,
      );
    }
  }
  return { rows, columns, bytes };
}

function readColumnChunk(reader: ThriftReader, type: number, leaf: Leaf, dataEnd: number): ColumnChunk {
  let physical = -1;
  let codec = -1;
  let entries = -1;
  let bytes = -1;
  let dataStart = -1;
  let dictionaryStart = NO_DICTIONARY;
  reader.nested(type, {
    1: () => {
      throw new ParquetFormatError(`the column ${leaf.path} is in another file`);
    },
    3: (meta) =>
      reader.nested(meta, {
        1: (number) => (physical = reader.integer(number)),
        4: (number) => (codec = reader.integer(number)),
        5: (number) => (entries = reader.integer(number)),
        7: (number) => (bytes = reader.integer(number)),
        9: (number) => (dataStart = reader.integer(number)),
        11: (number) => (dictionaryStart = reader.integer(number)),
      }),
    8: () => {
      throw new ParquetFormatError(`the column ${leaf.path} is encrypted`);
    },
  });
  if (physicalTypes[physical] !== leaf.physical) {
    throw new ParquetFormatError(`the column ${leaf.path} is not of the schema's type ${leaf.physical}`);
  }
  const named = codecs[codec];
  if (named === undefined)
    throw new ParquetFormatError(`the column ${leaf.path} has the unknown codec ${codec}`);
  // No byte of it is read, and writers say that it starts where no column can.
  if (entries === 0) return { codec: named, entries, start: FIRST_BYTE, end: FIRST_BYTE };
  const hasDictionary = dictionaryStart !== NO_DICTIONARY && dictionaryStart < dataStart;
  const start = hasDictionary ? dictionaryStart : dataStart;
  if (!(start >= FIRST_BYTE && bytes >= 0 && start + bytes <= dataEnd)) {
    throw new ParquetFormatError(
      `the column ${leaf.path} claims ${bytes} bytes from ${start} on, and the footer starts at ${dataEnd}`,
    );
  }
  return { codec: named, entries, start, end: start + bytes };
}
