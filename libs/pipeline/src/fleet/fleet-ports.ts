/** The ports between who feeds a run and who works on it, implemented over a queue. */
import type { TokenColumns } from '../columns.js';
import type { ResultPart } from './result-part.js';

/** Where results belong. */
export interface ChunkOfRun {
  readonly run: string;
  readonly chunk: number;
}

/** One attempt at a chunk; results of an earlier one are refused. */
export interface ChunkAttempt extends ChunkOfRun {
  readonly epoch: number;
}

/** Rows of a chunk on their way into a stage. */
export type JobInput =
  | {
      readonly kind: 'texts';
      readonly texts: readonly string[];
      readonly pairs?: readonly string[] | undefined;
    }
  | {
      readonly kind: 'tokens';
      readonly tokens: TokenColumns;
      /** Where the activations of the rows are kept, from the second stage on. */
      readonly activations?: string | undefined;
    };

/** Rows of a chunk that a worker is to run through a stage, and through those behind it that it serves, too. */
export interface StageJob extends ChunkAttempt {
  /** 0-based stage that the rows enter. */
  readonly stage: number;
  /** Index of each row among the chunk's accepted rows, ascending, `[n]`. */
  readonly rows: Int32Array;
  /** Accepted rows of the chunk. */
  readonly chunkRows: number;
  readonly input: JobInput;
  /** Threshold by the layer of each exit. */
  readonly policy: Readonly<Record<string, number>>;
  /** Of the runtimes whose labels the run takes. */
  readonly fingerprints: readonly string[];
  /** How often these rows went back to the first stage, because their activations were lost. */
  readonly recomputed: number;
  /** Lower is sooner, from 1; 3 unless told. */
  readonly priority?: number | undefined;
  /** Whether its rows do not wait for full batches. */
  readonly urgent?: boolean | undefined;
}

/** `refused`: the chunk does not wait for this attempt any more. */
export type Added = 'added' | 'refused';

/** Brings jobs to workers, each at least once. */
export interface StageTransport {
  /** The same job may be added again; it is worked on once as long as it is there. */
  add(job: StageJob): Promise<Added>;
  /** Whether a job of the attempt, at whichever stage, waits or is worked on. */
  isLive(attempt: ChunkAttempt): Promise<boolean>;
  /** Whether jobs that a worker may take, or has, are at any of these stages, of whichever run. @param stages 0-based */
  hasJobs(stages: readonly number[]): Promise<boolean>;
}

/** `stored`, or before by another; or refused, because the chunk does not wait for this attempt's results. */
export type Stored = 'stored' | 'stored-before' | 'refused';

/** Keeps results until who feeds the run takes them. Everything in it may be lost. */
export interface ResultStore {
  /** Lets jobs and results of the attempt in, and of no other. */
  open(attempt: ChunkAttempt): Promise<void>;
  /** Whether the chunk waits for this attempt. */
  isOpen(attempt: ChunkAttempt): Promise<boolean>;
  /** The first result of the same rows wins. @param rows accepted rows of the chunk */
  put(attempt: ChunkAttempt, part: ResultPart, rows: number): Promise<Stored>;
  /** What is there of a chunk. */
  parts(chunk: ChunkOfRun): Promise<ResultPart[]>;
  /** Forgets a chunk; what comes later is refused. */
  drop(chunk: ChunkOfRun): Promise<void>;
  /** Waits for a chunk whose rows are all there. @returns its number; `undefined` where none came for a while */
  nextReady(run: string): Promise<number | undefined>;
}

export interface WhileFull {
  /** Aborts when nobody needs the activations any more. */
  readonly signal: AbortSignal;
  /** Makes some room. Called once. */
  readonly makeRoom: () => Promise<void>;
}

/** Keeps activations between stages. A cache: what is in it may be gone, or damaged, at any time. */
export interface ActivationStore {
  /** Whether rows may enter that leave so many bytes more of them. */
  hasRoom(bytes: number): Promise<boolean>;
  /** Waits within a bound where there is no room. @throws ActivationsFullError */
  put(key: string, bytes: Uint8Array, whileFull?: WhileFull): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  drop(key: string): Promise<void>;
}
