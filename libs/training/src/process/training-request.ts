import type { CorpusOptions } from '#corpus/corpus-options.js';
import type { BackendName } from '../backend/backend-names.js';
import type { DistilLoss } from '../distil/distil-gradients.js';
import type { JointMode } from '../fine-tune/joint-mode.js';
import type { TrainingEvent } from '../loop/training-events.js';
import type { LoopOptions } from '../loop/train.js';
import type { ExitFigure } from '../loop/training-task.js';

/** Width of new exits, and the heads of their attention. */
export interface ExitSize {
  readonly size: number;
  readonly heads: number;
}

interface CommonRequest {
  /** Checkpoint to begin with: a directory, or what sluice import reads. */
  readonly base: string;
  /** Directory of the checkpoint that is made. */
  readonly out: string;
  readonly force: boolean;
  readonly data: CorpusOptions;
  readonly dev: CorpusOptions | undefined;
  readonly loop: LoopOptions;
  readonly backend: BackendName | undefined;
  /** Of new exits. */
  readonly exit: ExitSize;
  /** Name and version of the program, for the model card. */
  readonly tool: string;
}

/** Encoder and last exit learn labels. */
export interface FineTuneRequest extends CommonRequest {
  readonly kind: 'train';
  readonly task: 'single' | 'pair' | undefined;
  readonly maxLength: number | undefined;
  /** In the order of their classes; undefined: those of the data, in order. */
  readonly labels: readonly string[] | undefined;
  /** A head of the base is left out, whatever its labels. */
  readonly newHead: boolean;
  readonly joint: JointMode;
  readonly dropout: number;
  readonly classWeights: 'none' | 'balanced';
  /** Every number begins anew, in an encoder of this shape; the base gives its tokenizer. */
  readonly fromScratch: ScratchGeometry | undefined;
}

export interface ScratchGeometry {
  readonly layers: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly intermediateSize: number;
}

/** Exits before the last learn of the last. */
export interface DistilRequest extends CommonRequest {
  readonly kind: 'distil';
  /** Their layers; undefined: all but the last. */
  readonly layers: readonly number[] | undefined;
  /** Exits begin anew, whatever the checkpoint has. */
  readonly newExits: boolean;
  readonly loss: DistilLoss;
  /** Of hidden states on disk. */
  readonly mostCacheBytes: number;
}

export type TrainingRequest = FineTuneRequest | DistilRequest;

/** What a training tells while it goes on. */
export type TrainingNews =
  | { readonly kind: 'note'; readonly note: string }
  | { readonly kind: 'preparing'; readonly what: string; readonly fraction: number }
  | TrainingEvent;

export interface TrainingOutcome {
  readonly out: string;
  readonly end: 'finished' | 'early' | 'stopped';
  readonly steps: number;
  /** The epoch whose numbers the model has. */
  readonly epoch: number;
  readonly dev: readonly ExitFigure[] | undefined;
  readonly backend: BackendName;
  readonly seconds: number;
}
