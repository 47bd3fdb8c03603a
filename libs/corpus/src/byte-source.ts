import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

import { CorpusChangedError, CorpusOpenError } from './corpus-errors.js';

/** Bytes that can be read at any place, also by several readers at once. */
export interface ByteSource {
  readonly path: string;
  /** Undefined while more may come; a guess where they are compressed. */
  readonly bytes: number | undefined;
  /**
   * Fills `target` from `position` on, wholly or partly; waits for bytes that are still to come.
   * @returns how many bytes came; 0 only at the end (or for an empty target)
   */
  read(target: Buffer, position: number): Promise<number>;
  close(): Promise<void>;
}

/** A regular file, as long as it was when it was opened: what is appended later is not read. */
export class FileSource implements ByteSource {
  readonly #file: FileHandle;

  private constructor(
    readonly path: string,
    readonly bytes: number,
    file: FileHandle,
  ) {
    this.#file = file;
  }

  /** @throws CorpusOpenError when there is no such regular file */
  static async open(path: string): Promise<FileSource> {
    // Not blocking, because the open of a pipe would wait for a writer, for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
      throw new CorpusOpenError(path, cause instanceof Error ? cause.message : String(cause), { cause });
    });
    const stat = await file.stat();
    if (!stat.isFile()) {
      await file.close();
      throw new CorpusOpenError(
        path,
        'it is not a regular file. To read from a pipe, pass it as standard input, `-`.',
      );
    }
    return new FileSource(path, stat.size, file);
  }

  async read(target: Buffer, position: number): Promise<number> {
    const length = Math.min(target.length, this.bytes - position);
    if (length <= 0) return 0;
    const { bytesRead } = await this.#file.read(target, 0, length, position);
    if (bytesRead === 0) {
      const range = { start: position, end: this.bytes };
      throw new CorpusChangedError(this.path, range, `there (${this.bytes} bytes)`, 'a shorter file');
    }
    return bytesRead;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** The same bytes, ending at `end`. */
export function clipped(source: ByteSource, end: number): ByteSource {
  return {
    path: source.path,
    bytes: end,
    read: (target, position) => source.read(target.subarray(0, Math.max(0, end - position)), position),
    close: () => source.close(),
  };
}
