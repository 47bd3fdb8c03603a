/** The ports between who feeds a run and who works on it, implemented over a queue. */
import type { ResultPart } from './result-part.js';

/** Rows of a chunk that a worker is to label. */
export interface ChunkJob {
  readonly run: string;
  readonly chunk: number;
  /** Of this attempt; results of an earlier one are refused. */
  readonly epoch: number;
  /** Threshold by the layer of each exit. */
  readonly policy: Readonly<Record<string, number>>;
  /** Of the runtimes whose labels the run takes. */
  readonly fingerprints: readonly string[];
  /** Of the chunk's accepted rows. */
  readonly texts: readonly string[];
  readonly pairs?: readonly string[] | undefined;
}

/** Where a result belongs. */
export type ChunkOfRun = Pick<ChunkJob, 'run' | 'chunk'>;

/** Brings jobs to workers, each at least once. */
export interface ChunkTransport {
  /** The same job may be added again; it is worked on once as long as it is there. */
  add(job: ChunkJob): Promise<void>;
  /** Whether the job waits or is worked on. */
  isLive(job: Pick<ChunkJob, 'run' | 'chunk' | 'epoch'>): Promise<boolean>;
}

/** `stored`, or before by another; or refused, because the chunk does not wait for this epoch's results. */
export type Stored = 'stored' | 'stored-before' | 'refused';

/** Keeps results until who feeds the run takes them. Everything in it may be lost. */
export interface ResultStore {
  /** Lets results of the chunk's epoch in, and of no other. */
  open(chunk: ChunkOfRun, epoch: number): Promise<void>;
  /** The first result of the same rows wins. @param rows accepted rows of the chunk */
  put(job: Pick<ChunkJob, 'run' | 'chunk' | 'epoch'>, part: ResultPart, rows: number): Promise<Stored>;
  /** What is there of a chunk. */
  parts(chunk: ChunkOfRun): Promise<ResultPart[]>;
  /** Forgets a chunk; what comes later is refused. */
  drop(chunk: ChunkOfRun): Promise<void>;
  /** Waits for a chunk whose rows are all there. @returns its number; `undefined` where none came for a while */
  nextReady(run: string): Promise<number | undefined>;
}
