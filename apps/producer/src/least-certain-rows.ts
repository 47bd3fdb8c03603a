import type { AnswerForm } from '#pipeline/answer-form.js';
import { hasLabel } from '#pipeline/answer-form.js';
import type { LabelColumns } from '#pipeline/columns.js';
import { corpusRow } from '#pipeline/label-chunk.js';
import type { ChunkLabeller, CorpusChunk, LabelledRows } from '#pipeline/ports.js';
import { writeDurably } from '#pipeline/run-directory/durable-write.js';
import type { UncertainRow } from '#run/uncertain-row.js';
import { readStored } from './run-folder.js';

/** Rows that are kept of a run. */
const KEPT = 50;
/** UTF-16 units that are kept of a text. */
const TEXT_KEPT = 400;

const isRows = (value: unknown): value is UncertainRow[] => Array.isArray(value);

/** The least certain rows of a run that are kept in a file; none where there is no such file. */
export async function readLeastCertain(path: string): Promise<readonly UncertainRow[]> {
  return (await readStored(path, isRows)) ?? [];
}

/**
 * The least certain rows of a run, of bounded size. What a chunk adds is on disk before the chunk is committed, so that
 * nothing is missing whatever dies; a chunk that is labelled again adds the same rows, which count once.
 */
export class LeastCertainRows {
  readonly #path: string;
  readonly #names: readonly string[];
  readonly #form: AnswerForm;
  /** By uncertainty, the least certain first, then by row. */
  #rows: readonly UncertainRow[];
  /** A write that has not begun, which takes the rows as they are when it does. */
  #next: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    path: string,
    names: readonly string[],
    form: AnswerForm,
    rows: readonly UncertainRow[],
  ) {
    this.#path = path;
    this.#names = names;
    this.#form = form;
    this.#rows = rows;
  }

  /** @param names the bundle's labels, `[classes]` */
  static async open(path: string, names: readonly string[], form: AnswerForm): Promise<LeastCertainRows> {
    return new LeastCertainRows(path, names, form, await readLeastCertain(path));
  }

  get rows(): readonly UncertainRow[] {
    return this.#rows;
  }

  /** Sees each row that this labeller labels. */
  watch(labeller: ChunkLabeller): ChunkLabeller {
    return {
      label: async (chunk, signal) => {
        const labelled = await labeller.label(chunk, signal);
        await this.note(chunk, labelled);
        return labelled;
      },
    };
  }

  /** @returns once what is kept of the chunk is on disk */
  async note(chunk: CorpusChunk, { labels, rejected = [] }: LabelledRows): Promise<void> {
    // A regression tells no uncertainty.
    if (this.#form.problem === 'regression') return;
    const without = new Set(rejected.map(({ index }) => index));
    const known = new Set(this.#rows.map(({ row }) => row));
    const floor = this.#rows.length < KEPT ? -1 : this.#rows.at(-1)!.uncertainty;
    const found: UncertainRow[] = [];
    for (const index of leastCertain(labels, floor)) {
      const row = corpusRow(chunk, index);
      if (!without.has(index) && !known.has(row)) found.push(this.#rowOf(chunk, index, row, labels));
    }
    const kept = [...this.#rows, ...found]
      .sort((a, b) => b.uncertainty - a.uncertainty || a.row - b.row)
      .slice(0, KEPT);
    if (!found.some((row) => kept.includes(row))) return;
    this.#rows = kept;
    await this.#write();
  }

  #rowOf(chunk: CorpusChunk, index: number, row: number, labels: LabelColumns): UncertainRow {
    const { classes, probabilities } = labels;
    const of = (label: number): number => probabilities[index * classes + label]!;
    const form = this.#form;
    const answer =
      form.problem === 'multi-label'
        ? { labels: this.#names.filter((_, label) => hasLabel(of(label), form.thresholds[label]!)) }
        : { labels: [this.#names[labels.label[index]!]!], confidence: of(labels.label[index]!) };
    return {
      row,
      text: cut(chunk.texts[index]!),
      pair: chunk.pairs && cut(chunk.pairs[index]!),
      ...answer,
      exitLayer: labels.exitLayer[index]!,
      uncertainty: labels.uncertainty[index]!,
    };
  }

  /** Writes that are asked for while one goes on become one. */
  #write(): Promise<void> {
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined;
      return writeDurably(this.#path, `${JSON.stringify(this.#rows)}\n`);
    });
    // What failed is told to those who wait for it; the next one tries again.
    this.#writing = this.#next.catch(() => undefined);
    return this.#next;
  }
}

/** Indices of a chunk's least certain rows, no more than are kept, none below the floor. */
function leastCertain({ rows, uncertainty }: LabelColumns, floor: number): number[] {
  const indices: number[] = [];
  for (let index = 0; index < rows; index += 1) if (uncertainty[index]! >= floor) indices.push(index);
  return indices.sort((a, b) => uncertainty[b]! - uncertainty[a]! || a - b).slice(0, KEPT);
}

/** The beginning of a text, with no half of a character at its end. */
function cut(text: string): string {
  if (text.length <= TEXT_KEPT) return text;
  return `${text.slice(0, TEXT_KEPT).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
