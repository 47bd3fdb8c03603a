import { orAborted } from './in-flight.js';
import type { ChunkLabeller, CorpusChunk, LabelledRows, RowLabeller, Tokenizer } from './ports.js';
import { sum } from './report/counts.js';

/** Labels chunks in this process: tokenise → label. Closes neither. */
export class LocalChunkLabeller implements ChunkLabeller {
  readonly #tokenizer: Tokenizer;
  readonly #labeller: RowLabeller;

  constructor(tokenizer: Tokenizer, labeller: RowLabeller) {
    this.#tokenizer = tokenizer;
    this.#labeller = labeller;
  }

  get rowsRepeated(): number {
    return this.#labeller.rowsRepeated ?? 0;
  }

  async label(chunk: CorpusChunk, signal: AbortSignal): Promise<LabelledRows> {
    const tokens = await orAborted(this.#tokenizer.tokenize(chunk.texts, chunk.pairs), signal);
    const labels = await orAborted(this.#labeller.label(tokens), signal);
    return { labels, tokens: tokens.ids.length, truncated: sum(tokens.truncated) };
  }
}
