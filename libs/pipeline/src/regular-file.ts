import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

/** More than any configuration, vocabulary or golden texts have; what is read whole shall not fill the memory. */
const MOST_BYTES = 2 ** 26;

/** A path leads to something that cannot be read to an end as a file can, or is too long to be read whole. */
export class RegularFileError extends Error {
  override readonly name = 'RegularFileError';

  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(problem);
  }
}

/**
 * Opens a file of somebody else's making, which may be a folder, a device without end, or a pipe without writer.
 * @throws RegularFileError, and the system's error where nothing can be opened
 */
export async function openRegularFile(path: string): Promise<FileHandle> {
  // Not blocking, because the open of a pipe would wait for a writer, for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if ((await file.stat()).isFile()) return file;
    throw new RegularFileError(path, 'it is a folder, pipe or device, where a file is expected');
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * The text of such a file.
 * @param mostBytes a longer one is refused; 64 MiB unless told
 * @throws RegularFileError, and the system's error where nothing can be opened
 */
export async function readRegularFile(path: string, mostBytes = MOST_BYTES): Promise<string> {
  const file = await openRegularFile(path);
  try {
    const { size } = await file.stat();
    if (size <= mostBytes) return await file.readFile('utf8');
    throw new RegularFileError(path, `it has ${size} bytes; at most ${mostBytes} are read`);
  } finally {
    await file.close();
  }
}
