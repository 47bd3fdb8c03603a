import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';

import type { LabelColumns } from '#pipeline/columns.js';
import type { CorpusChunk, RowWriter } from '#pipeline/ports.js';

const compress = promisify(gzip);
/** As `gzip` itself does; Node writes no time of day into a member, so the same rows give the same bytes. */
const options = { level: 6 };

/** Compresses what another writer writes: each chunk is a gzip member, and members back to back are a gzip file. */
export class GzipWriter implements RowWriter {
  readonly format: string;
  readonly #writer: RowWriter;

  constructor(writer: RowWriter) {
    this.format = `${writer.format}.gz`;
    this.#writer = writer;
  }

  /** Never empty: a file without any member is no gzip file. */
  head(): Buffer {
    return gzipSync(this.#writer.head(), options);
  }

  /** Compresses off the calling thread. */
  async rows(chunk: CorpusChunk, labels: LabelColumns): Promise<Buffer> {
    return compress(await this.#writer.rows(chunk, labels), options);
  }
}
