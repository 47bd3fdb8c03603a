/** Bytes that are no Parquet, or none that is read here. Who knows the file and row group says where. */
export class ParquetFormatError extends Error {
  override readonly name: string = 'ParquetFormatError';
}

/** The bytes of one column. */
export class ParquetColumnError extends ParquetFormatError {
  override readonly name = 'ParquetColumnError';
  constructor(
    /** Its path in the schema. */
    readonly column: string,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Rows of a Parquet file that cannot be decoded. Some rows before them may have been labelled. */
export class ParquetDataError extends Error {
  override readonly name = 'ParquetDataError';
  constructor(
    readonly path: string,
    /** From 0. */
    readonly rowGroup: number,
    /** Its path in the schema; undefined where no one column is to blame. */
    readonly column: string | undefined,
    problem: string,
    options?: ErrorOptions,
  ) {
    const where = column === undefined ? '' : `, column ${JSON.stringify(column)}`;
    super(
      `Cannot read ${path}, row group ${rowGroup}${where}: ${problem}. ` +
        'Get the file again, whole, and label it in a new run.',
      options,
    );
  }
}

/** So much comes out of a Parquet file that it looks like an attack, or is more than was allowed. */
export class ParquetLimitError extends Error {
  override readonly name = 'ParquetLimitError';
  constructor(
    readonly path: string,
    /** Bytes that had come out. */
    readonly bytes: number,
    /** The limit that was given. */
    readonly maxDecompressedBytes: number | undefined,
  ) {
    super(
      (maxDecompressedBytes === undefined
        ? `${path} looks like a decompression bomb: it is small, and ${bytes} bytes came out of it so far. ` +
          'If it is none, say how many bytes may come out'
        : `${path} has more than the ${maxDecompressedBytes} decompressed bytes that are allowed. Allow more`) +
        ' (--max-decompressed-bytes).',
    );
  }
}
