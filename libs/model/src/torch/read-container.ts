import type { FileHandle } from 'node:fs/promises';
import { elementTypes } from './element-types.js';
import { readPickle } from './pickle.js';
import { PickleError } from './pickle-reader.js';
import type { PickleValue } from './pickle-value.js';
import { kindOf } from './pickle-value.js';
import { readBytes } from './read-bytes.js';
import { storageOf } from './storage-reference.js';
import type { StorageView } from './tensor-view.js';
import { TorchFileError } from './torch-file-error.js';
import type { FileRange } from './zip-entries.js';
import { findEntryBytes, readZipEntries } from './zip-entries.js';

/** What a torch file holds: the saved value, and where the bytes of its storages lie, by their keys. */
export interface TorchContents {
  readonly container: 'zip' | 'legacy';
  readonly root: PickleValue;
  readonly storages: ReadonlyMap<string, FileRange>;
}

/** Some hundred bytes for each of thousands of tensors. */
const MOST_PICKLE_BYTES = 2 ** 24;

/** Zip archives begin with a local header. */
export const ZIP_START = Buffer.from('PK\u{3}\u{4}', 'latin1');
/** Of the legacy container: protocol 2, and its magic number as an integer of 10 bytes. */
export const LEGACY_START = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
const LEGACY_PROTOCOL = 1001;

/** Reads either container. @throws TorchFileError */
export async function readContainer(path: string, file: FileHandle): Promise<TorchContents> {
  const { size } = await file.stat();
  const start = await readBytes(path, file, 0, Math.min(size, LEGACY_START.length));
  try {
    if (start.subarray(0, ZIP_START.length).equals(ZIP_START)) return await readZip(path, file, size);
    if (start.equals(LEGACY_START)) return await readLegacy(path, file, size);
  } catch (error) {
    if (error instanceof PickleError) throw new TorchFileError(path, `${error.message}.`);
    throw error;
  }
  throw new TorchFileError(path, 'not a file of torch: neither a zip archive nor its legacy container.');
}

/** `x/data.pkl`, and the storages `x/data/0`, `x/data/1`, …, whatever x is. */
async function readZip(path: string, file: FileHandle, size: number): Promise<TorchContents> {
  const entries = await readZipEntries(path, file, size);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    throw new TorchFileError(
      path,
      `a zip archive with one data.pkl in a folder is expected; this one has ${pickles.length}.`,
    );
  }
  const folder = pickles[0]!.slice(0, -'data.pkl'.length);
  const bytesOf = async (name: string, most: number): Promise<Buffer | undefined> => {
    const entry = entries.get(folder + name);
    if (entry === undefined) return undefined;
    const range = await findEntryBytes(path, file, folder + name, entry);
    if (range.bytes > most) {
      throw new TorchFileError(path, `its ${name} has ${range.bytes} bytes; at most ${most} are read.`);
    }
    return readBytes(path, file, range.start, range.bytes);
  };
  const order = (await bytesOf('byteorder', 16))?.toString('latin1') ?? 'little';
  if (order !== 'little') {
    throw new TorchFileError(path, `its byte order is ${JSON.stringify(order)}; only little is read.`);
  }
  const storages = new Map<string, FileRange>();
  const { value } = readPickle((await bytesOf('data.pkl', MOST_PICKLE_BYTES))!, 0, (id) => {
    const storage = storageOf(id);
    const entry = entries.get(`${folder}data/${storage.key}`);
    if (entry === undefined) throw new PickleError(`its storage ${JSON.stringify(storage.key)} is missing`);
    storages.set(storage.key, entry);
    return storage;
  });
  for (const [key, entry] of storages) {
    storages.set(key, await findEntryBytes(path, file, `${folder}data/${key}`, entry));
  }
  return { container: 'zip', root: value, storages };
}

/** Pickles one after the other: magic number, protocol, system, value, keys; then each key's elements, counted. */
async function readLegacy(path: string, file: FileHandle, size: number): Promise<TorchContents> {
  const bytes = await readBytes(path, file, 0, Math.min(size, MOST_PICKLE_BYTES));
  const elementBytes = new Map<string, number>();
  const persistentValue = (id: PickleValue): StorageView => {
    const storage = storageOf(id);
    elementBytes.set(storage.key, elementTypes.get(storage.type)!.bytes);
    return storage;
  };
  const protocol = readPickle(bytes, LEGACY_START.length, persistentValue);
  if (protocol.value !== LEGACY_PROTOCOL) {
    throw new TorchFileError(
      path,
      `its protocol is ${typeof protocol.value === 'number' ? protocol.value : kindOf(protocol.value)}; ${LEGACY_PROTOCOL} is expected.`,
    );
  }
  const system = readPickle(bytes, protocol.end, persistentValue);
  if (!(system.value instanceof Map) || system.value.get('little_endian') !== true) {
    throw new TorchFileError(
      path,
      'it was not written in little-endian byte order, the only one that is read.',
    );
  }
  const root = readPickle(bytes, system.end, persistentValue);
  const keys = readPickle(bytes, root.end, persistentValue);
  if (!Array.isArray(keys.value)) throw new TorchFileError(path, 'the list of its storages is missing.');
  const storages = new Map<string, FileRange>();
  let at = keys.end;
  for (const listed of keys.value) {
    // Not of other values: a list that holds a list twice, and so on, has a text that no memory holds.
    const key = typeof listed === 'number' ? String(listed) : listed;
    const unit = typeof key === 'string' ? elementBytes.get(key) : undefined;
    if (typeof key !== 'string' || unit === undefined || storages.has(key)) {
      throw new TorchFileError(
        path,
        `its list of storages has ${typeof key === 'string' ? `'${key}' twice, or nothing refers to it` : kindOf(key)}.`,
      );
    }
    const elements = Number((await readBytes(path, file, at, 8)).readBigUInt64LE());
    const range = { start: at + 8, bytes: elements * unit };
    if (range.start + range.bytes > size) {
      throw new TorchFileError(
        path,
        `its storage ${JSON.stringify(key)} claims ${range.bytes} bytes from ${range.start} on; the file has ${size}.`,
      );
    }
    storages.set(key, range);
    at = range.start + range.bytes;
  }
  return { container: 'legacy', root: root.value, storages };
}
