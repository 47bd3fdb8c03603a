import { ParquetFormatError } from './parquet-errors.js';

/** Types of Thrift's compact protocol. */
const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
const MAP = 11;
const STRUCT = 12;

/** Parquet's own structures are nine deep. */
const MOST_DEPTH = 24;

/** Reads the fields of a struct by their ids; each takes its value with the methods of the reader. */
export type FieldReaders = Readonly<Record<number, (type: number) => void>>;

/**
 * Reads Thrift's compact protocol, field by field, and keeps nothing that was not asked for: what a file claims costs no
 * memory before its reader takes it.
 *
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export class ThriftReader {
  readonly #bytes: Buffer;
  #at: number;
  #depth = 0;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Index behind what was read. */
  get at(): number {
    return this.#at;
  }

  /** @throws ParquetFormatError, UnexpectedEndError */
  struct(fields: FieldReaders): void {
    this.#enter();
    let id = 0;
    for (;;) {
      const header = this.#byte();
      const type = header & 0x0f;
      if (type === 0) break;
      id = header >> 4 === 0 ? this.#zigzag() : id + (header >> 4);
      const read = fields[id];
      if (read === undefined) this.#skip(type);
      else read(type);
    }
    this.#depth--;
  }

  /** The field that comes next is a struct. */
  nested(type: number, fields: FieldReaders): void {
    this.#expect(type === STRUCT, 'a struct');
    this.struct(fields);
  }

  /** @param each takes one element, whose type it is given */
  list(type: number, each: (type: number) => void): void {
    this.#expect(type === LIST || type === SET, 'a list');
    this.#enter();
    const header = this.#byte();
    const size = header >> 4 === 15 ? this.#varint() : header >> 4;
    // An element takes a byte at least.
    if (size > this.#bytes.length - this.#at) throw new UnexpectedEndError();
    for (let left = size; left > 0; left--) each(header & 0x0f);
    this.#depth--;
  }

  boolean(type: number): boolean {
    this.#expect(type === TRUE || type === FALSE, 'a boolean');
    return type === TRUE;
  }

  /** A whole number of 8 to 64 bits. @throws ParquetFormatError also where it is beyond 2^53 */
  integer(type: number): number {
    this.#expect(type >= BYTE && type <= I64, 'a whole number');
    const value = type === BYTE ? this.#byte() : this.#zigzag();
    this.#expect(Number.isSafeInteger(value), 'a number below 2^53');
    return value;
  }

  string(type: number): string {
    this.#expect(type === BINARY, 'a string');
    const length = this.#varint();
    const start = this.#at;
    this.#pass(length);
    return this.#bytes.toString('utf8', start, this.#at);
  }

  #skip(type: number): void {
    if (type === TRUE || type === FALSE) return;
    if (type === BYTE) this.#pass(1);
    else if (type <= I64) this.#varint();
    else if (type === DOUBLE) this.#pass(8);
    else if (type === BINARY) this.#pass(this.#varint());
    else if (type === LIST || type === SET) this.list(type, (element) => this.#skipElement(element));
    else if (type === MAP) this.#skipMap();
    else this.nested(type, {});
  }

  #skipMap(): void {
    this.#enter();
    const size = this.#varint();
    if (size > this.#bytes.length - this.#at) throw new UnexpectedEndError();
    const types = size === 0 ? 0 : this.#byte();
    for (let left = size; left > 0; left--) {
      this.#skipElement(types >> 4);
      this.#skipElement(types & 0x0f);
    }
    this.#depth--;
  }

  /** In a list a boolean is a byte, not part of its header. */
  #skipElement(type: number): void {
    if (type === TRUE || type === FALSE) this.#pass(1);
    else this.#skip(type);
  }

  #zigzag(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #varint(): number {
    let value = 0;
    let unit = 1;
    for (let bytes = 0; bytes < 10; bytes++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 128;
    }
    throw new ParquetFormatError('a number of its structures has no end');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new UnexpectedEndError();
    this.#at++;
    return byte;
  }

  #pass(bytes: number): void {
    if (bytes > this.#bytes.length - this.#at) throw new UnexpectedEndError();
    this.#at += bytes;
  }

  #enter(): void {
    this.#depth++;
    this.#expect(this.#depth <= MOST_DEPTH, `structures at most ${MOST_DEPTH} deep`);
  }

  #expect(holds: boolean, what: string): void {
    if (!holds)
      throw new ParquetFormatError(`expected ${what} in its structures at byte ${this.#at} of them`);
  }
}

/** The bytes end before what they hold does. */
export class UnexpectedEndError extends ParquetFormatError {
  constructor() {
    super('its structures end too early');
  }
}
