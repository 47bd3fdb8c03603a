import type { FileHandle } from 'node:fs/promises';
import { TorchFileError } from './torch-file-error.js';

/** Fills `bytes` from a place in a file. @throws TorchFileError where the file ends before */
export async function readInto(path: string, file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, at + filled);
    if (bytesRead === 0) {
      throw new TorchFileError(
        path,
        `the file ends at byte ${at + filled}; ${bytes.length - filled} more are expected there.`,
      );
    }
    filled += bytesRead;
  }
}

/** @throws TorchFileError where the file ends before */
export async function readBytes(path: string, file: FileHandle, at: number, count: number): Promise<Buffer> {
  const bytes = Buffer.alloc(count);
  await readInto(path, file, bytes, at);
  return bytes;
}
