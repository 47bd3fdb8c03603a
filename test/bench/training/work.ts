/** One stage of training, as both sides do it: the same rows in the same batches, from the same numbers. */
export interface StageWork {
  readonly stage: 0 | 1;
  readonly checkpoint: string;
  /** jsonl with text and label. */
  readonly corpus: string;
  /** Of the corpus, from its beginning. */
  readonly rows: number;
  readonly batchTokens: number;
  /** Highest learning rate; it rises over a tenth of the epoch's steps. */
  readonly rate: number;
  readonly seed: number;
  /** Steps that are made, of one epoch. */
  readonly steps: number;
  /** Of the epoch, which the learning rate depends on. */
  readonly stepsOfEpoch: number;
  readonly threads: number;
  readonly backend: string | undefined;
  /** Where Sluice keeps hidden states. */
  readonly folder: string;
}

/** A batch as PyTorch gets it: token ids of each row, without padding. */
export interface TextBatch {
  readonly ids: readonly (readonly number[])[];
  readonly golds: readonly number[];
}

/** What one side made of it. */
export interface StageOutcome {
  /** Of each step, the update of the numbers included. */
  readonly seconds: readonly number[];
  readonly losses: readonly number[];
  /** Of Sluice in stage 1: what the hidden states of all rows took once. */
  readonly statesSeconds: number;
  readonly computesWith: string;
}
