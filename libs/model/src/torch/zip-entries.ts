import type { FileHandle } from 'node:fs/promises';
import { readBytes } from './read-bytes.js';
import { TorchFileError } from './torch-file-error.js';

/** Bytes of a file. */
export interface FileRange {
  readonly start: number;
  readonly bytes: number;
}

const END_BYTES = 22;
const END = 0x06054b50;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_END_BYTES = 56;
const ZIP64_END = 0x06064b50;
const ENTRY_BYTES = 46;
const ENTRY = 0x02014b50;
const LOCAL_BYTES = 30;
const LOCAL = 0x04034b50;
const ZIP64_EXTRA = 1;
/** A comment at the end may have as many. */
const MOST_COMMENT_BYTES = 0xffff;
/** Some hundred bytes for each of thousands of tensors. */
const MOST_DIRECTORY_BYTES = 2 ** 25;
const IN_ZIP64 = 0xffffffff;

/**
 * Where the entries of a zip archive lie (PKWARE's APPNOTE 6.3.10), as torch writes them: stored, not packed. Long
 * archives are of the format's 64-bit form.
 *
 * @throws TorchFileError
 */
export async function readZipEntries(
  path: string,
  file: FileHandle,
  fileBytes: number,
): Promise<Map<string, FileRange>> {
  const directory = await findDirectory(path, file, fileBytes);
  if (directory.bytes > MOST_DIRECTORY_BYTES || directory.start + directory.bytes > fileBytes) {
    throw new TorchFileError(
      path,
      `its zip directory claims ${directory.bytes} bytes from ${directory.start} on; the file has ${fileBytes}.`,
    );
  }
  const bytes = await readBytes(path, file, directory.start, directory.bytes);
  const entries = new Map<string, FileRange>();
  for (let at = 0; at < bytes.length;) {
    const entry = parseEntry(path, bytes, at);
    if (entries.has(entry.name))
      throw new TorchFileError(path, `its zip directory has '${entry.name}' twice.`);
    if (entry.start + LOCAL_BYTES + entry.bytes > directory.start) {
      throw new TorchFileError(
        path,
        `its zip entry '${entry.name}' claims ${entry.bytes} bytes from ${entry.start} on, beyond the ${directory.start} that entries have.`,
      );
    }
    entries.set(entry.name, { start: entry.start, bytes: entry.bytes });
    at = entry.end;
  }
  return entries;
}

/**
 * Where the bytes of an entry begin: behind its own header, which torch pads.
 * @param entry as `readZipEntries` gives it
 * @throws TorchFileError
 */
export async function findEntryBytes(
  path: string,
  file: FileHandle,
  name: string,
  entry: FileRange,
): Promise<FileRange> {
  const local = await readBytes(path, file, entry.start, LOCAL_BYTES);
  if (local.readUInt32LE(0) !== LOCAL) {
    throw new TorchFileError(
      path,
      `its zip entry '${name}' is not at byte ${entry.start}, where the directory has it.`,
    );
  }
  return {
    start: entry.start + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28),
    bytes: entry.bytes,
  };
}

async function findDirectory(path: string, file: FileHandle, fileBytes: number): Promise<FileRange> {
  const tailBytes = Math.min(fileBytes, END_BYTES + ZIP64_LOCATOR_BYTES + MOST_COMMENT_BYTES);
  const tail = await readBytes(path, file, fileBytes - tailBytes, tailBytes);
  const end = lastEnd(tail);
  if (end < 0) {
    throw new TorchFileError(
      path,
      'the directory at the end of its zip archive is missing: the file was cut short.',
    );
  }
  const directory = { bytes: tail.readUInt32LE(end + 12), start: tail.readUInt32LE(end + 16) };
  const locator = end - ZIP64_LOCATOR_BYTES;
  if (locator < 0 || tail.readUInt32LE(locator) !== ZIP64_LOCATOR) return directory;
  const at = Number(tail.readBigUInt64LE(locator + 8));
  if (at + ZIP64_END_BYTES > fileBytes) {
    throw new TorchFileError(
      path,
      `its zip directory is said to be at byte ${at}; the file has ${fileBytes}.`,
    );
  }
  const zip64 = await readBytes(path, file, at, ZIP64_END_BYTES);
  if (zip64.readUInt32LE(0) !== ZIP64_END) {
    throw new TorchFileError(path, `its zip directory is not at byte ${at}, where it is said to be.`);
  }
  return { bytes: Number(zip64.readBigUInt64LE(40)), start: Number(zip64.readBigUInt64LE(48)) };
}

function lastEnd(tail: Buffer): number {
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) === END && at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length)
      return at;
  }
  return -1;
}

function parseEntry(
  path: string,
  bytes: Buffer,
  at: number,
): { name: string; start: number; bytes: number; end: number } {
  if (at + ENTRY_BYTES > bytes.length || bytes.readUInt32LE(at) !== ENTRY) {
    throw new TorchFileError(
      path,
      `its zip directory has no entry at its byte ${at}, where one is expected.`,
    );
  }
  const nameEnd = at + ENTRY_BYTES + bytes.readUInt16LE(at + 28);
  const extraEnd = nameEnd + bytes.readUInt16LE(at + 30);
  const end = extraEnd + bytes.readUInt16LE(at + 32);
  if (end > bytes.length) throw new TorchFileError(path, 'its zip directory ends inside an entry.');
  const name = bytes.toString('utf8', at + ENTRY_BYTES, nameEnd);
  const [flags, method] = [bytes.readUInt16LE(at + 8), bytes.readUInt16LE(at + 10)];
  if (method !== 0 || (flags & 1) !== 0) {
    throw new TorchFileError(
      path,
      `its zip entry '${name}' is ${method === 0 ? 'encrypted' : 'compressed'}; torch stores entries as they are. Save the weights again with torch.save.`,
    );
  }
  const sizes = [bytes.readUInt32LE(at + 24), bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 42)];
  const [size, stored, start] = in64Bits(path, name, sizes, bytes.subarray(nameEnd, extraEnd));
  if (size !== stored)
    throw new TorchFileError(path, `its zip entry '${name}' is of two sizes, ${size} and ${stored}.`);
  return { name, start: start!, bytes: size!, end };
}

/** Takes those of the numbers that have no room in 32 bits from the entry's zip64 field, which has them in order. */
function in64Bits(path: string, name: string, numbers: readonly number[], extra: Buffer): number[] {
  if (!numbers.includes(IN_ZIP64)) return [...numbers];
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== ZIP64_EXTRA) continue;
    const field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
    if (field.length < 8 * numbers.filter((number) => number === IN_ZIP64).length) break;
    let next = 0;
    return numbers.map((number) =>
      number === IN_ZIP64 ? Number(field.readBigUInt64LE(8 * next++)) : number,
    );
  }
  throw new TorchFileError(path, `its zip entry '${name}' lacks the sizes of a large file.`);
}
