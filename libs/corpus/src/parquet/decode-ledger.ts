import { ParquetFormatError, ParquetLimitError } from './parquet-errors.js';

/** Memory of the pages that are open at a time, of all columns. */
const MOST_HELD_BYTES = 1 << 29;
/** So much may always come out of a file, and so many times its size. */
const FREE_BYTES = 1 << 30;
const MOST_RATIO = 2000;

/**
 * What comes out of a file and what of it is in memory. A few bytes can claim any number of equal values, so both are
 * entered here before there is room made for them.
 */
export class DecodeLedger {
  readonly #path: string;
  readonly #given: number | undefined;
  readonly #limit: number;
  #out = 0;
  #held = 0;

  /** @param given bytes that may come out; unless given, 1 GiB or 2,000 times the file's */
  constructor(path: string, fileBytes: number, given: number | undefined) {
    this.#path = path;
    this.#given = given;
    this.#limit = given ?? Math.max(FREE_BYTES, fileBytes * MOST_RATIO);
  }

  /** @throws ParquetLimitError */
  comesOut(bytes: number): void {
    this.#out += bytes;
    if (this.#out > this.#limit) throw new ParquetLimitError(this.#path, this.#out, this.#given);
  }

  /** @throws ParquetFormatError */
  hold(bytes: number): void {
    this.#held += bytes;
    if (this.#held <= MOST_HELD_BYTES) return;
    throw new ParquetFormatError(
      `the pages of its columns need ${this.#held} bytes at a time; ${MOST_HELD_BYTES} are held at most. ` +
        'Carry fewer columns (--fields), or write the file with smaller pages',
    );
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }
}
