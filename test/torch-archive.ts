/** Writes files of torch.save for tests: pickles put together opcode by opcode, in either container, true or not. */
import { open } from 'node:fs/promises';

/** Opcodes by the names of Python's pickletools, with their arguments as bytes. */
export const pickle = {
  proto: (version = 2): Buffer => Buffer.from([0x80, version]),
  stop: Buffer.from('.'),
  mark: Buffer.from('('),
  none: Buffer.from('N'),
  emptyDict: Buffer.from('}'),
  emptyList: Buffer.from(']'),
  emptyTuple: Buffer.from(')'),
  tuple: Buffer.from('t'),
  tuple1: Buffer.from([0x85]),
  tuple2: Buffer.from([0x86]),
  list: Buffer.from('l'),
  append: Buffer.from('a'),
  setItem: Buffer.from('s'),
  setItems: Buffer.from('u'),
  reduce: Buffer.from('R'),
  build: Buffer.from('b'),
  duplicate: Buffer.from('2'),
  persistent: Buffer.from('Q'),
  stackGlobal: Buffer.from([0x93]),
  newTrue: Buffer.from([0x88]),
  newFalse: Buffer.from([0x89]),
  /** A whole number from -2³¹ to 2³¹, or a larger one as Python's LONG1. */
  integer(value: number): Buffer {
    if (value >= -(2 ** 31) && value < 2 ** 31) {
      const bytes = Buffer.from([0x4a, 0, 0, 0, 0]);
      bytes.writeInt32LE(value, 1);
      return bytes;
    }
    const bytes = Buffer.from([0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.writeBigInt64LE(BigInt(value), 2);
    return bytes;
  },
  text(value: string): Buffer {
    const content = Buffer.from(value);
    const head = Buffer.from([0x58, 0, 0, 0, 0]);
    head.writeUInt32LE(content.length, 1);
    return Buffer.concat([head, content]);
  },
  global: (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`),
  instance: (module: string, name: string): Buffer => Buffer.from(`(i${module}\n${name}\n`),
  get: (index: number): Buffer => Buffer.from([0x68, index]),
  put: (index: number): Buffer => Buffer.from([0x71, index]),
};

export interface PickledTensor {
  readonly storage: string;
  /** Elements of the whole storage. */
  readonly elements: number;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Such as `Float`. */
  readonly type?: string;
  /** A part of the storage, as files of old versions have: its first element, and how many. */
  readonly part?: readonly [number, number];
}

/** A tensor as torch pickles it. @param legacy a storage's id has one more place there */
export function pickledTensor(tensor: PickledTensor, container: 'zip' | 'legacy' = 'zip'): Buffer {
  const counts = (values: readonly number[]): Buffer =>
    Buffer.concat([pickle.mark, ...values.map((value) => pickle.integer(value)), pickle.tuple]);
  return Buffer.concat([
    pickle.global('torch._utils', '_rebuild_tensor_v2'),
    pickle.mark,
    pickle.mark,
    pickle.text('storage'),
    pickle.global('torch', `${tensor.type ?? 'Float'}Storage`),
    pickle.text(tensor.storage),
    pickle.text('cpu'),
    pickle.integer(tensor.elements),
    ...(container === 'legacy' ? [partOf(tensor)] : []),
    pickle.tuple,
    pickle.persistent,
    pickle.integer(tensor.offset),
    counts(tensor.shape),
    counts(tensor.strides),
    pickle.newFalse,
    pickle.global('collections', 'OrderedDict'),
    pickle.emptyTuple,
    pickle.reduce,
    pickle.tuple,
    pickle.reduce,
  ]);
}

function partOf({ part }: PickledTensor): Buffer {
  if (part === undefined) return pickle.none;
  return Buffer.concat([
    pickle.mark,
    pickle.text('part'),
    pickle.integer(part[0]),
    pickle.integer(part[1]),
    pickle.tuple,
  ]);
}

/** A dictionary of such. @param values pickled */
export function pickledDictionary(values: Readonly<Record<string, Buffer>>): Buffer {
  return Buffer.concat([
    pickle.proto(),
    pickle.emptyDict,
    pickle.mark,
    ...Object.entries(values).flatMap(([name, value]) => [pickle.text(name), value]),
    pickle.setItems,
    pickle.stop,
  ]);
}

export interface ZipEntry {
  readonly name: string;
  /** Or how many bytes of zeros. */
  readonly content: Uint8Array | number;
  /** Lies of the directory: bytes at places in the entry. */
  readonly change?: (entry: Buffer) => void;
}

/** Bytes that lie somewhere in a file; what is between them is zero. */
interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A zip archive of stored entries. Checksums are left out: torch's are not read either. */
export function zipArchive(entries: readonly ZipEntry[]): Buffer {
  const { pieces, length } = zipPieces(entries);
  const archive = Buffer.alloc(length);
  for (const { at, bytes } of pieces) archive.set(bytes, at);
  return archive;
}

/**
 * The same as a file whose zeros take no room on the disk.
 * @returns where the content of each entry begins, by its name
 */
export async function writeSparseArchive(
  path: string,
  entries: readonly ZipEntry[],
): Promise<ReadonlyMap<string, number>> {
  const { pieces, starts } = zipPieces(entries);
  const file = await open(path, 'w');
  for (const { at, bytes } of pieces) await file.write(bytes, 0, bytes.length, at);
  await file.close();
  return starts;
}

function zipPieces(entries: readonly ZipEntry[]): {
  pieces: Piece[];
  starts: Map<string, number>;
  length: number;
} {
  const pieces: Piece[] = [];
  const starts = new Map<string, number>();
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, content, change } of entries) {
    const size = typeof content === 'number' ? content : content.length;
    const bytes = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt32LE(size, 18);
    local.writeUInt32LE(size, 22);
    local.writeUInt16LE(bytes.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(size, 20);
    entry.writeUInt32LE(size, 24);
    entry.writeUInt16LE(bytes.length, 28);
    entry.writeUInt32LE(at, 42);
    change?.(entry);
    directory.push(entry, bytes);
    const head = Buffer.concat([local, bytes]);
    pieces.push({ at, bytes: head });
    starts.set(name, at + head.length);
    if (typeof content !== 'number') pieces.push({ at: at + head.length, bytes: content });
    at += head.length + size;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  pieces.push({ at, bytes: Buffer.concat([listed, end]) });
  return { pieces, starts, length: at + listed.length + end.length };
}

/** The zip container around a pickle and its storages, in order. */
export function torchArchive(
  data: Buffer,
  storages: Readonly<Record<string, Uint8Array>>,
  more: readonly ZipEntry[] = [],
): Buffer {
  return zipArchive([
    { name: 'archive/data.pkl', content: data },
    ...Object.entries(storages).map(([key, content]) => ({ name: `archive/data/${key}`, content })),
    ...more,
  ]);
}

const MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');

/** The legacy container: magic number, protocol, system, value, keys of the storages, and each storage behind its count. */
export function legacyFile(
  data: Buffer,
  storages: readonly { readonly key: string; readonly elements: number; readonly content: Uint8Array }[],
  { protocol = 1001, littleEndian = true, keys = storages.map(({ key }) => pickle.text(key)) } = {},
): Buffer {
  const system = Buffer.concat([
    pickle.proto(),
    pickle.emptyDict,
    pickle.text('little_endian'),
    littleEndian ? pickle.newTrue : pickle.newFalse,
    pickle.setItem,
    pickle.stop,
  ]);
  return Buffer.concat([
    MAGIC,
    pickle.proto(),
    pickle.integer(protocol),
    pickle.stop,
    system,
    data,
    pickle.proto(),
    pickle.mark,
    ...keys,
    pickle.list,
    pickle.stop,
    ...storages.flatMap(({ elements, content }) => {
      const count = Buffer.alloc(8);
      count.writeBigUInt64LE(BigInt(elements));
      return [count, Buffer.from(content.buffer, content.byteOffset, content.length)];
    }),
  ]);
}
