import type { AnswerForm } from './answer-form.js';
import type { LabelColumns } from './columns.js';
import { emptyLabels } from './label-columns.js';
import type { ChunkLabeller, CorpusChunk, RowWriter } from './ports.js';
import type { Tally } from './report/tally.js';
import { tallyChunk } from './report/tally.js';

/** What a chunk is labelled and written with. */
export interface ChunkWork {
  readonly labeller: ChunkLabeller;
  readonly writer: RowWriter;
  /** The bundle's labels, by class index. */
  readonly labels: readonly string[];
  /** One label for each row unless told. */
  readonly form?: AnswerForm | undefined;
}

export interface LabelledChunk {
  /** The accepted rows as the output holds them. */
  readonly output: Uint8Array;
  readonly tally: Tally;
}

/** A model must give numbers; NaN or infinity mean that the bundle or the runtime is broken. */
export class NonFiniteError extends Error {
  override readonly name = 'NonFiniteError';

  constructor(
    /** In the corpus, from 1. */
    readonly row: number,
    /** The exit that gave them. */
    readonly layer: number,
  ) {
    super(
      `The model gave row ${row} probabilities that are no numbers, at the exit after layer ${layer}. ` +
        'The bundle or the runtime is broken: compile the bundle again, in fp32 if it is not.',
    );
  }
}

/**
 * A chunk's life between reading and commit: label → format, and count.
 *
 * @throws NonFiniteError
 * @throws the signal's reason as soon as it aborts
 */
export async function labelChunk(
  chunk: CorpusChunk,
  { labeller, writer, labels: names, form }: ChunkWork,
  signal: AbortSignal,
): Promise<LabelledChunk> {
  expectRows(chunk, chunk.texts.length + chunk.rejects.length, chunk.rows, 'read');
  if (chunk.texts.length === 0) {
    const nothing = { tokens: 0, truncated: 0 };
    return {
      output: new Uint8Array(),
      tally: tallyChunk(chunk, nothing, emptyLabels(0, names.length), names, form),
    };
  }
  const { labels, ...size } = await labeller.label(chunk, signal);
  expectRows(chunk, labels.rows, chunk.texts.length, 'labelled');
  expectFinite(chunk, labels);
  return { output: await writer.rows(chunk, labels), tally: tallyChunk(chunk, size, labels, names, form) };
}

function expectRows(chunk: CorpusChunk, got: number, expected: number, verb: string): void {
  if (got !== expected) {
    throw new Error(`Chunk ${chunk.chunk} must have ${expected} rows ${verb}, but it has ${got}.`);
  }
}

function expectFinite(chunk: CorpusChunk, labels: LabelColumns): void {
  for (let row = 0; row < labels.rows; row += 1) {
    const probabilities = labels.probabilities.subarray(row * labels.classes, (row + 1) * labels.classes);
    if (!Number.isFinite(labels.uncertainty[row]) || !probabilities.every(Number.isFinite)) {
      throw new NonFiniteError(corpusRow(chunk, row), labels.exitLayer[row]!);
    }
  }
}

/** Number in the corpus of an accepted row of the chunk, given its index among them. */
export function corpusRow(chunk: CorpusChunk, index: number): number {
  const rejected = new Set(chunk.rejects.map((reject) => reject.row));
  let row = chunk.firstRow;
  for (let accepted = 0; ; row += 1) {
    if (rejected.has(row)) continue;
    if (accepted === index) return row;
    accepted += 1;
  }
}
