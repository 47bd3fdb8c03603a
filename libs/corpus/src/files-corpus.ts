import { stat } from 'node:fs/promises';

import type { CorpusChunk, PlannedChunk } from '#pipeline/ports.js';

import type { Convention } from './convention.js';
import { CorpusChangedError } from './corpus-errors.js';
import type { FileCorpus } from './file-corpus.js';
import { joinFields } from './join-fields.js';
import { OpenFiles } from './open-files.js';
import type { RecordFields } from './row-columns.js';

export interface FilesCorpusOptions {
  readonly paths: readonly string[];
  /** What rejects call them. */
  readonly names: readonly string[];
  /** Opens one of them. @param convention that of the first file, for the others */
  readonly open: (path: string, file: number, convention?: Convention) => Promise<FileCorpus>;
  /** Rows to read at most, of all files; may be infinite. */
  readonly limit: number;
}

/** Files that stay open: the one that is read, and the one that is looked at again. */
const OPEN_FILES = 2;

/**
 * Several files as one corpus: rows and chunks are numbered on from file to file, and no chunk has rows of two. Every
 * file's head is read before the first row; then files are opened as their turn comes.
 */
export class FilesCorpus implements FileCorpus {
  readonly fields: RecordFields;
  readonly convention: Convention;
  readonly #options: FilesCorpusOptions;
  /** Bytes of each file on disk. */
  readonly #sizes: readonly number[];
  /** What each file gave as its `bytes`, last. */
  readonly #bytes: (number | undefined)[];
  readonly #files: OpenFiles;

  private constructor(options: FilesCorpusOptions, heads: readonly FileHead[]) {
    this.#options = options;
    this.convention = heads[0]!.convention;
    this.fields = joinFields(heads.map(({ fields }, file) => ({ path: options.paths[file]!, fields })));
    this.#sizes = heads.map(({ size }) => size);
    this.#bytes = heads.map(({ bytes }) => bytes);
    this.#files = new OpenFiles((file) => this.#reopen(file), OPEN_FILES);
  }

  /** @throws CorpusOpenError for the first file that cannot be read, or whose fields are not those of the others */
  static async open(options: FilesCorpusOptions): Promise<FilesCorpus> {
    const heads: FileHead[] = [];
    for (const [file, path] of options.paths.entries()) {
      const corpus = await options.open(path, file, heads[0]?.convention);
      try {
        const { fields, convention, bytes } = corpus;
        heads.push({ fields, convention, bytes, size: await sizeOf(path) });
      } finally {
        await corpus.close();
      }
    }
    return new FilesCorpus(options, heads);
  }

  get bytes(): number | undefined {
    let total = 0;
    for (const bytes of this.#bytes) {
      if (bytes === undefined) return undefined;
      total += bytes;
    }
    return total;
  }

  async *chunks(after?: PlannedChunk): AsyncGenerator<CorpusChunk> {
    let last = after;
    for (let file = after?.range.file ?? 0; file < this.#options.paths.length; file++) {
      if (last !== undefined && last.firstRow + last.rows > this.#options.limit) return;
      const corpus = await this.#files.take(file);
      try {
        for await (const chunk of corpus.chunks(last)) {
          const { chunk: number, firstRow, rows, range } = chunk;
          last = { chunk: number, firstRow, rows, range };
          this.#bytes[file] = corpus.bytes;
          yield this.#named(chunk);
        }
      } finally {
        await this.#files.release(file);
      }
    }
  }

  async reread(planned: PlannedChunk): Promise<CorpusChunk> {
    const { file } = planned.range;
    const corpus = await this.#files.take(file);
    try {
      return this.#named(await corpus.reread(planned));
    } finally {
      await this.#files.release(file);
    }
  }

  async verify(planned: PlannedChunk): Promise<void> {
    const { file } = planned.range;
    const corpus = await this.#files.take(file);
    try {
      await corpus.verify(planned);
    } finally {
      await this.#files.release(file);
    }
  }

  async close(): Promise<void> {
    await this.#files.close();
  }

  /** Says which file the rows are in. */
  #named(chunk: CorpusChunk): CorpusChunk {
    const file = this.#options.names[chunk.range.file]!;
    return { ...chunk, file, rejects: chunk.rejects.map((reject) => ({ ...reject, file })) };
  }

  async #reopen(file: number): Promise<FileCorpus> {
    const path = this.#options.paths[file]!;
    const [was, is] = [this.#sizes[file]!, await sizeOf(path)];
    if (is !== was) throw new CorpusChangedError(path, { start: 0, end: was }, `${was} bytes`, `${is} bytes`);
    return this.#options.open(path, file, file === 0 ? undefined : this.convention);
  }
}

interface FileHead {
  readonly fields: RecordFields;
  readonly convention: Convention;
  readonly bytes: number | undefined;
  readonly size: number;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path)).size;
}
