import type { AnswerForm } from './answer-form.js';
import type { LabelColumns } from './columns.js';
import { copyLabel, emptyLabels } from './label-columns.js';
import type { ChunkLabeller, CorpusChunk, LabelledRows, Reject, RowWriter } from './ports.js';
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
  /** Those that could not be read, and those that the model could not take. */
  readonly rejects: readonly Reject[];
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
      rejects: chunk.rejects,
      output: new Uint8Array(),
      tally: tallyChunk(chunk, nothing, emptyLabels(0, names.length), names, form),
    };
  }
  const { labels, rejected = [], ...size } = await labeller.label(chunk, signal);
  expectRows(chunk, labels.rows, chunk.texts.length, 'labelled');
  const [accepted, answers] = rejected.length === 0 ? [chunk, labels] : withoutRows(chunk, labels, rejected);
  expectFinite(accepted, answers);
  return {
    rejects: accepted.rejects,
    output: answers.rows === 0 ? new Uint8Array() : await writer.rows(accepted, answers),
    tally: tallyChunk(accepted, size, answers, names, form),
  };
}

/** The chunk as if these rows could not have been read. */
function withoutRows(
  chunk: CorpusChunk,
  labels: LabelColumns,
  rejected: NonNullable<LabelledRows['rejected']>,
): [CorpusChunk, LabelColumns] {
  const out = new Set(rejected.map(({ index }) => index));
  const stays = (_: unknown, index: number): boolean => !out.has(index);
  const left = emptyLabels(labels.rows - out.size, labels.classes);
  let at = 0;
  for (let row = 0; row < labels.rows; row += 1)
    if (stays(undefined, row)) copyLabel(labels, row, left, at++);
  const rejects = rejected.map(({ index, reason, message }) => ({
    row: corpusRow(chunk, index),
    reason,
    message,
    ...(chunk.file === undefined ? {} : { file: chunk.file }),
  }));
  return [
    {
      ...chunk,
      texts: chunk.texts.filter(stays),
      pairs: chunk.pairs?.filter(stays),
      golds: chunk.golds?.filter(stays),
      records: chunk.records.filter(stays),
      rejects: [...chunk.rejects, ...rejects].sort((a, b) => a.row - b.row),
    },
    left,
  ];
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
