import { createHash } from 'node:crypto';
import type { CorpusOptions, RowsOfModel } from '#corpus/corpus-options.js';
import type { FileCorpus } from '#corpus/file-corpus.js';
import { openCorpus } from '#corpus/open-corpus.js';
import type { TextTokenizer } from '#tokenizer/text-tokenizer.js';
import type { TokenRows } from './token-batch.js';

/** Labels that a message names. */
const SHOWN = 8;
/** Bytes of a text's hash that are compared. */
const HASH_BYTES = 12;

/** A corpus, read whole: tokens in typed arrays, texts not kept. */
export interface TrainingRows {
  readonly tokens: TokenRows;
  /** Tokens of each row, `[rows]`. */
  readonly lengths: Int32Array;
  /** The corpus' own number of each row, from 1, `[rows]`. */
  readonly numbers: Int32Array;
  /** Index of each row's label, `[rows]`; undefined where labels are not read. */
  readonly golds: Int32Array | undefined;
  readonly labels: readonly string[];
  /** Of each row's text, to find rows that two corpora share. */
  readonly hashes: readonly string[];
  readonly rejected: number;
  /** Rows that were cut to the maximum length. */
  readonly truncated: number;
  /** Rows without a token of their own. */
  readonly empty: number;
  /** What the corpus was recognised to be, for the user. */
  readonly notes: readonly string[];
}

/** A corpus that a model cannot be trained on. */
export class TrainingDataError extends Error {
  override readonly name = 'TrainingDataError';

  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path}: ${problem}`);
  }
}

export interface ReadRows {
  readonly corpus: CorpusOptions;
  readonly tokenizer: TextTokenizer;
  readonly task: 'single' | 'pair';
  /** Whether every row must have a label. */
  readonly labelled: boolean;
  /** Those that rows may have; undefined: whatever the corpus has, in order. */
  readonly labels?: readonly string[] | undefined;
  /** What to do where a row has another label. */
  readonly advice?: string | undefined;
}

/** @throws CorpusOpenError, TrainingDataError */
export async function readRows({
  corpus,
  tokenizer,
  task,
  labelled,
  labels,
  advice = '',
}: ReadRows): Promise<TrainingRows> {
  const path = corpus.paths.join(', ');
  const opened = await openLabelled(corpus, labelled, { task, labels: labels ?? anyClass });
  const parts: ReturnType<TextTokenizer['tokenize']>[] = [];
  const numbers: number[] = [];
  const golds: string[] = [];
  const hashes: string[] = [];
  let rejected = 0;
  try {
    for await (const chunk of opened.chunks()) {
      rejected += chunk.rejects.length;
      const bad = new Set(chunk.rejects.map(({ row }) => row));
      const own = Array.from({ length: chunk.rows }, (_, index) => chunk.firstRow + index);
      numbers.push(...own.filter((row) => !bad.has(row)));
      const pairs = task === 'pair' ? chunk.pairs : undefined;
      if (task === 'pair' && pairs === undefined) {
        throw new TrainingDataError(
          path,
          'the model is of pairs; say which field holds the second text with --pair-field.',
        );
      }
      parts.push(tokenizer.tokenize(chunk.texts, pairs));
      for (const [index, text] of chunk.texts.entries()) {
        hashes.push(hashOf(text, pairs?.[index]));
        if (!labelled) continue;
        const gold = chunk.golds?.[index];
        // A cell of a table without a label is empty.
        if (gold === undefined || (gold === '' && labels?.includes('') !== true)) {
          const row = numbers[golds.length]!;
          throw new TrainingDataError(
            path,
            `row ${row} has no label; every row needs one (--label-field names the field).`,
          );
        }
        golds.push(gold);
      }
    }
  } finally {
    await opened.close();
  }
  if (hashes.length === 0)
    throw new TrainingDataError(path, `it has no rows to learn from (${rejected} rejected).`);
  const known = labels ?? [...new Set(golds)].sort(compareLabels);
  const tokens = joined(parts);
  const lengths = tokens.starts.subarray(1).map((end, row) => end - tokens.starts[row]!);
  const least = Math.min(...lengthsOfNothing(tokenizer, task));
  return {
    tokens,
    lengths,
    numbers: Int32Array.from(numbers),
    golds: labelled ? indexesOf(golds, known, path, numbers, advice) : undefined,
    labels: known,
    hashes,
    rejected,
    truncated: parts.reduce((sum, { truncated }) => sum + truncated.reduce((a, b) => a + b, 0), 0),
    empty: lengths.reduce((count, length) => count + (length <= least ? 1 : 0), 0),
    notes: opened.convention.notes,
  };
}

/** Where nobody knows the labels yet: numbers of classes, by which forms of tables are recognised. */
const anyClass = Array.from({ length: 1000 }, (_, index) => String(index));

/** A corpus whose labels are in the field that is said or recognised, or in `label`. */
async function openLabelled(
  corpus: CorpusOptions,
  labelled: boolean,
  recognise: RowsOfModel,
): Promise<FileCorpus> {
  const opened = await openCorpus({ ...corpus, recognise });
  const { header, labelField } = opened.convention.reading;
  // A table without a header was recognised by its labels.
  if (!labelled || corpus.labelField !== undefined || header === false) return opened;
  await opened.close();
  // Said, not recognised: labels of a recognised field that are no known ones would be left out.
  return openCorpus({ ...corpus, recognise, labelField: labelField ?? 'label' });
}

/** How many of the rows have texts that are among the others' too. */
export function sharedRows(rows: TrainingRows, others: TrainingRows): number {
  const known = new Set(others.hashes);
  return rows.hashes.reduce((count, hash) => count + (known.has(hash) ? 1 : 0), 0);
}

function lengthsOfNothing(tokenizer: TextTokenizer, task: 'single' | 'pair'): Int32Array {
  return tokenizer.tokenize([''], task === 'pair' ? [''] : undefined).offsets.subarray(1);
}

/** Numbers by their value, other labels by their letters. */
function compareLabels(a: string, b: string): number {
  const [m, n] = [Number(a), Number(b)];
  if (!Number.isNaN(m) && !Number.isNaN(n)) return m - n;
  return a < b ? -1 : 1;
}

/** @throws TrainingDataError for a label that is not among them */
function indexesOf(
  golds: readonly string[],
  labels: readonly string[],
  path: string,
  numbers: readonly number[],
  advice: string,
): Int32Array {
  const places = new Map(labels.map((label, index) => [label, index]));
  return Int32Array.from(golds, (gold, row) => {
    const place = places.get(gold);
    if (place !== undefined) return place;
    const shown = labels.length > SHOWN ? `${labels.slice(0, SHOWN).join(', ')}, …` : labels.join(', ');
    throw new TrainingDataError(
      path,
      `row ${numbers[row]} has the label ${JSON.stringify(gold)}, which is not among those to learn: ${shown}.${advice}`,
    );
  });
}

function joined(parts: readonly ReturnType<TextTokenizer['tokenize']>[]): TokenRows {
  const tokens = parts.reduce((sum, { ids }) => sum + ids.length, 0);
  const rows = parts.reduce((sum, { offsets }) => sum + offsets.length - 1, 0);
  const ids = new Int32Array(tokens);
  const segments = parts[0]?.segments && new Int32Array(tokens);
  const starts = new Int32Array(rows + 1);
  let [token, row] = [0, 0];
  for (const part of parts) {
    ids.set(part.ids, token);
    if (part.segments !== undefined) segments?.set(part.segments, token);
    for (const end of part.offsets.subarray(1)) starts[++row] = token + end;
    token += part.ids.length;
  }
  return { ids, segments, starts };
}

function hashOf(text: string, pair = ''): string {
  return createHash('sha256').update(text).update('\0').update(pair).digest('base64').slice(0, HASH_BYTES);
}
