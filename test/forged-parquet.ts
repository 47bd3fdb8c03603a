/** Parquet files made byte by byte, so that they can say what no writer says. */

/** A value of Thrift's compact protocol: whole number, bytes, flag, list, or a struct by field id. */
type Thrift = number | string | boolean | readonly Thrift[] | ThriftStruct;
export interface ThriftStruct {
  readonly [id: number]: Thrift | undefined;
}

export function thriftStruct(fields: ThriftStruct): Buffer {
  const parts: Buffer[] = [];
  for (const [id, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    // The long form of a field's header, with its id.
    parts.push(Buffer.from([typeOf(value)]), zigzag(Number(id)), thriftValue(value));
  }
  return Buffer.concat([...parts, Buffer.from([0])]);
}

function typeOf(value: Thrift): number {
  if (typeof value === 'boolean') return value ? 1 : 2;
  if (typeof value === 'number') return 6;
  if (typeof value === 'string') return 8;
  return Array.isArray(value) ? 9 : 12;
}

function thriftValue(value: Thrift): Buffer {
  if (typeof value === 'boolean') return Buffer.alloc(0);
  if (typeof value === 'number') return zigzag(value);
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    return Buffer.concat([varint(bytes.length), bytes]);
  }
  if (isList(value)) {
    const header = Buffer.from([0xf0 | (value.length === 0 ? 12 : typeOf(value[0]!))]);
    return Buffer.concat([header, varint(value.length), ...value.map(thriftValue)]);
  }
  return thriftStruct(value);
}

function isList(value: Thrift): value is readonly Thrift[] {
  return Array.isArray(value);
}

function zigzag(value: number): Buffer {
  return varint(value >= 0 ? value * 2 : -value * 2 - 1);
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}

/** `PAR1`, the pages of all columns, the footer, its length, `PAR1`. */
export function parquetFile(pages: Buffer, footer: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([Buffer.from('PAR1'), pages, footer, length, Buffer.from('PAR1')]);
}

/** A data page: header, then the stored bytes. */
export function dataPage(
  entries: number,
  body: Buffer,
  claims: { bytes?: number; encoding?: number } = {},
): Buffer {
  const { bytes = body.length, encoding = 0 } = claims;
  const header = { 1: 0, 2: bytes, 3: body.length, 5: { 1: entries, 2: encoding, 3: 3, 4: 3 } };
  return Buffer.concat([thriftStruct(header), body]);
}

export function dictionaryPage(entries: number, body: Buffer): Buffer {
  return Buffer.concat([
    thriftStruct({ 1: 2, 2: body.length, 3: body.length, 7: { 1: entries, 2: 0 } }),
    body,
  ]);
}

/** Strings as PLAIN has them. */
export function plainStrings(...texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    }),
  );
}

/** One run of a value that takes a byte, as levels in front of a page have it. */
export function levelRun(count: number, value: number): Buffer {
  return withLength(run(count, value));
}

/** Levels one by one. */
export function levels(...values: readonly number[]): Buffer {
  return withLength(Buffer.concat(values.map((value) => run(1, value))));
}

function run(count: number, value: number): Buffer {
  return Buffer.concat([varint(count * 2), Buffer.from([value])]);
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export interface TextFile {
  readonly rows: number;
  readonly pages: Buffer;
  readonly entries?: number;
  readonly codec?: number;
  /** 0 required, 1 optional, 2 repeated. */
  readonly repetition?: number;
  /** Fields of the column's metadata that say something else. */
  readonly meta?: ThriftStruct;
  /** Fields of the footer that do. */
  readonly footer?: ThriftStruct;
}

/** A file of one string column, `text`. */
export function textFile(file: TextFile): Buffer {
  const { rows, pages, entries = rows, codec = 0, repetition = 0, meta, footer } = file;
  const column = { 1: 6, 2: [0], 3: ['text'], 4: codec, 5: entries, 6: pages.length, 7: pages.length, 9: 4 };
  const root = { 4: 'root', 5: 1 };
  const text = { 1: 6, 3: repetition, 4: 'text', 6: 0 };
  const group = { 1: [{ 2: 0, 3: { ...column, ...meta } }], 2: pages.length, 3: rows };
  return parquetFile(pages, thriftStruct({ 1: 1, 2: [root, text], 3: rows, 4: [group], ...footer }));
}
