/** `scan`: the record goes on behind these bytes. */
export const MORE = -1;
/** `scan`: a quoted field is not closed as it should be. */
export const BROKEN = -2;

const LF = 0x0a;

/** Finds where a record ends, across as many blocks of bytes as it takes. */
export interface RecordGrammar {
  /** Starts a new record. */
  begin(): void;
  /**
   * Reads on in `bytes[from, to)`.
   * @returns the index behind the line feed that ends the record, or `MORE`, or `BROKEN`
   */
  scan(bytes: Buffer, from: number, to: number): number;
  /** Whether the record may end where the scan has come to, at the end of the file. */
  mayEnd(): boolean;
  /** Whether bytes from..to, without line end, are no row at all. */
  isBlank(bytes: Buffer, from: number, to: number): boolean;
  /**
   * Of a broken record: the bytes from its start to behind the line in which the broken field starts;
   * `MORE` where that line ends with the file.
   */
  readonly brokenLine: number;
}

/** One record a line. */
export function lineGrammar(isBlank: RecordGrammar['isBlank']): RecordGrammar {
  return {
    begin: () => {},
    scan: (bytes, from, to) => {
      const index = bytes.indexOf(LF, from);
      return index >= 0 && index < to ? index + 1 : MORE;
    },
    mayEnd: () => true,
    isBlank,
    brokenLine: MORE,
  };
}

/** In a table an empty line is no row. */
export function isEmpty(_bytes: Buffer, from: number, to: number): boolean {
  return from === to;
}

/** In text every line is a row. */
export const neverBlank = (): boolean => false;

/** In JSON lines a line of nothing but white space is no row. */
export function isWhiteSpace(bytes: Buffer, from: number, to: number): boolean {
  for (let index = from; index < to; index++) {
    const byte = bytes[index];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  }
  return true;
}
