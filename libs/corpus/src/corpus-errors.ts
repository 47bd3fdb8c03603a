/** An option, or the head of a file, that makes reading pointless. Nothing was read yet. */
export class CorpusOpenError extends Error {
  override readonly name = 'CorpusOpenError';
  constructor(
    /** The file, or `-`. */
    readonly path: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot read ${path}: ${problem}`, options);
  }
}

/** Rows of JSON have so many different fields that a table of them is not what was meant. */
export class TooManyColumnsError extends Error {
  override readonly name = 'TooManyColumnsError';
  constructor(
    /** Of the output. */
    readonly format: 'csv' | 'parquet',
    readonly columns: number,
    readonly maxColumns: number,
  ) {
    super(
      `A ${format} output would have ${columns} columns, because the ${format === 'csv' ? 'first rows' : 'rows'} have so many fields; ${maxColumns} are allowed. ` +
        'Carry only those that you need (--fields), write jsonl, or allow more (--max-columns).',
    );
  }
}

/** The corpus is no longer the one that was planned or spooled. */
export class CorpusChangedError extends Error {
  override readonly name = 'CorpusChangedError';
  constructor(
    readonly path: string,
    /** The bytes that differ, or among which at least one differs. */
    readonly range: { readonly start: number; readonly end: number },
    readonly expected: string,
    readonly found: string,
  ) {
    super(
      `${path} changed: bytes ${range.start} to ${range.end} should be ${expected}, found ${found}. ` +
        'Restore the file, or start a new run.',
    );
  }
}

/** Compressed bytes that are none, or no longer. Some rows before that place may have been labelled. */
export class GzipDataError extends Error {
  override readonly name = 'GzipDataError';
  constructor(
    readonly path: string,
    problem: string,
    /** Bytes that had come out whole. */
    readonly decompressedBytes: number,
    /** Bytes that they came from. */
    readonly compressedBytes: number,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot read ${path} behind byte ${decompressedBytes} of its content (byte ${compressedBytes} of the file): ` +
        `${problem}. Get the file again, whole, and label it in a new run.`,
      options,
    );
  }
}

/** So much comes out of a compressed file that it looks like an attack, or is more than was allowed. */
export class GzipLimitError extends Error {
  override readonly name = 'GzipLimitError';
  constructor(
    readonly path: string,
    readonly decompressedBytes: number,
    readonly compressedBytes: number,
    /** The limit that was given. */
    readonly maxDecompressedBytes: number | undefined,
  ) {
    super(
      (maxDecompressedBytes === undefined
        ? `${path} looks like a decompression bomb: ${decompressedBytes} bytes came out of ${compressedBytes}. ` +
          'If it is none, say how many bytes may come out'
        : `${path} has more than the ${maxDecompressedBytes} decompressed bytes that are allowed. Allow more`) +
        ' (--max-decompressed-bytes).',
    );
  }
}
