import type { CompileOptions } from '#model/compile/compile-options.js';
import type { LabelColumns, TokenColumns } from '#pipeline/columns.js';
import type { ExactBatch } from '../exact-batches.js';
import type { RoofKind, RoofShape } from './roof-graph.js';
import type { StageWork } from './stage-log.js';
import type { Times } from './timed.js';

/** Entry of each child process → what it is asked and what it answers. */
export interface ChildTasks {
  readonly 'compile.child.js': { readonly task: Omit<CompileOptions, 'onStep'>; readonly answer: object };
  readonly 'engine.child.js': { readonly task: EngineTask; readonly answer: EngineAnswer };
  readonly 'phases.child.js': { readonly task: PhasesTask; readonly answer: PhasesAnswer };
  readonly 'roof.child.js': { readonly task: RoofTask; readonly answer: Times };
}

/** A bundle at work. */
interface BundleTask {
  /** Its directory. */
  readonly bundle: string;
  readonly speed: number;
  readonly workers: number;
  readonly batchTokens: number;
}

export interface EngineTask extends BundleTask {
  readonly tokens: TokenColumns;
}

export interface EngineAnswer extends Times {
  readonly labels: LabelColumns;
  readonly stages: readonly StageWork[];
}

export interface PhasesTask extends BundleTask {
  /** A jsonl file. */
  readonly corpus: string;
  readonly out: string;
}

export interface PhasesAnswer {
  /** Phase → processor seconds of all threads, in the order of a row's life. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  /** Behind the start. */
  readonly wallSeconds: number;
  readonly rows: number;
  readonly outputSha256: string;
}

export interface RoofTask {
  readonly kind: RoofKind;
  readonly shape: RoofShape;
  readonly batches: readonly ExactBatch[];
  /** Threads, each with a session of one thread. */
  readonly workers: number;
}
