/**
 * The ports of the pipeline: what it needs from the outside, owned here, implemented by the other libraries.
 */
import type { Activation, ExitColumns, LabelColumns, TokenColumns } from './columns.js';

/** Where a chunk stands in the corpus: bytes `start` to `end` of a file, and their hash. */
export interface SourceRange {
  readonly file: number;
  readonly start: number;
  readonly end: number;
  readonly sha256: string;
}

/** One line of the plan. */
export interface PlannedChunk {
  /** 0-based. */
  readonly chunk: number;
  /** Number of the chunk's first row in the corpus, from 1. */
  readonly firstRow: number;
  /** Rows of the corpus in the chunk, rejected ones included. */
  readonly rows: number;
  readonly range: SourceRange;
}

/** A row that cannot be labelled. */
export interface Reject {
  /** Number of the row in the corpus, from 1. */
  readonly row: number;
  /** A short fixed word, such as `unparseable` or `no-text-field`. */
  readonly reason: string;
  /** What was expected and what came. */
  readonly message: string;
  /** The file that the row is in, where the corpus has several. */
  readonly file?: string | undefined;
}

/** The accepted rows of one chunk, as columns of equal length, and its rejected rows. */
export interface CorpusChunk extends PlannedChunk {
  readonly texts: readonly string[];
  readonly pairs?: readonly string[] | undefined;
  /** The label that the corpus gives, where it has a label field; for the report's quality figures. */
  readonly golds?: readonly (string | undefined)[] | undefined;
  /** The rows as read, opaque to the pipeline; the writer of the same library understands them. */
  readonly records: readonly unknown[];
  /** Bytes of the records; absent where they are those of the range. */
  readonly recordBytes?: number | undefined;
  readonly rejects: readonly Reject[];
  /** The file that its rows are in, where the corpus has several. */
  readonly file?: string | undefined;
}

/** Reads a corpus chunk by chunk. The same corpus and options give the same chunks, wherever reading starts. */
export interface Corpus {
  /** Reads on behind `after`, or from the first row. */
  chunks(after?: PlannedChunk): AsyncIterable<CorpusChunk>;
  /** Reads a planned chunk once more. @throws CorpusChangedError when its bytes are no longer those planned */
  reread(planned: PlannedChunk): Promise<CorpusChunk>;
  /** Compares a planned chunk's bytes with its hash. @throws CorpusChangedError */
  verify(planned: PlannedChunk): Promise<void>;
  /** Total bytes, for progress; undefined while unknown (standard input), a guess where they are compressed. */
  readonly bytes: number | undefined;
  close(): Promise<void>;
}

/** Formats labelled rows. The output is `head()`, then each chunk's rows in order, or what `merge` makes of them. */
export interface RowWriter {
  /** Such as `jsonl` or `csv.gz`: the extension of chunk files. */
  readonly format: string;
  head(): Buffer;
  rows(chunk: CorpusChunk, labels: LabelColumns): Buffer | Promise<Buffer>;
  /**
   * The output, of a format whose files are no chunks' rows back to back. The same rows give the same bytes. A block may
   * be overwritten when the next is asked for.
   * @param rows gives the bytes of all chunks' rows in order, from the first one on, as often as it is called
   */
  merge?(rows: () => AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

/** Turns texts into token ids, off the calling thread. */
export interface Tokenizer {
  /** How many calls make progress at the same time. */
  readonly concurrency: number;
  /**
   * @param texts `[rows]`
   * @param pairs second texts, `[rows]`, for pair tasks
   */
  tokenize(texts: readonly string[], pairs?: readonly string[]): Promise<TokenColumns>;
  close(): Promise<void>;
}

/** Labels token columns: the stage engine over a stage runner, or what stands before it. */
export interface RowLabeller {
  label(tokens: TokenColumns): Promise<LabelColumns>;
  /** Rows so far that took the answer of another with the same tokens. */
  readonly rowsRepeated?: number;
}

/** A row that the model cannot take. */
export interface RejectedRow {
  /** Index among the chunk's accepted rows. */
  readonly index: number;
  readonly reason: string;
  readonly message: string;
}

/** What the model says of a chunk's accepted rows. */
export interface LabelledRows {
  /** In the order of the chunk's texts; of a rejected row, nothing. */
  readonly labels: LabelColumns;
  /** Of all rows, special ones included. */
  readonly tokens: number;
  /** Rows that were cut to the maximum length. */
  readonly truncated: number;
  /** Rows that the model cannot take, by their index among the chunk's texts, ascending. */
  readonly rejected?: readonly RejectedRow[] | undefined;
}

/** Labels the accepted rows of chunks, in this process or by a fleet. The same rows give the same labels. */
export interface ChunkLabeller {
  /**
   * May be called again before earlier calls are done, and should be.
   * @throws the signal's reason as soon as it aborts
   */
  label(chunk: CorpusChunk, signal: AbortSignal): Promise<LabelledRows>;
  /** As of a `RowLabeller`. */
  readonly rowsRepeated?: number;
}

/** A batch of rows of one exact length S, at the entrance of one stage. */
export interface StageBatch {
  /** 0-based stage. */
  readonly stage: number;
  /** B. */
  readonly rows: number;
  /** S, the same for every row: no padding, no mask. */
  readonly tokens: number;
  /** Threshold of each exit of the stage, `[exits in the stage]`. */
  readonly policy: Float32Array;
  readonly input:
    | {
        readonly kind: 'ids';
        /** `[B, S]`. */
        readonly ids: Int32Array;
        /** `[B, S]`, pair tasks only. */
        readonly segments?: Int32Array | undefined;
      }
    | {
        readonly kind: 'hidden';
        /** `[B, S, hidden size]`. */
        readonly hidden: Activation;
      };
}

export interface StageResult {
  /** In the order of their layers; an exit that no row reached has n = 0. */
  readonly exits: readonly ExitColumns[];
  /** Rows that left nowhere in the stage: index within the batch `[n]`, activations `[n, S, hidden size]`. */
  readonly survivors: { readonly rows: Int32Array; readonly hidden: Activation };
  /** Wall time of the model alone. */
  readonly seconds: number;
}

/** Runs the stages of one bundle, off the calling thread. The arrays of a batch are moved: do not use them again. */
export interface StageRunner {
  /** How many batches run at the same time; more only queue up. */
  readonly concurrency: number;
  run(batch: StageBatch): Promise<StageResult>;
  close(): Promise<void>;
}

/** Hears what the pipeline does; must not throw and must return at once. */
export interface Telemetry {
  stageRan(stage: number, rows: number, tokens: number, seconds: number): void;
  /** Rows left at the exit after a layer; they are not committed yet. */
  rowsLeft(layer: number, rows: number): void;
}
