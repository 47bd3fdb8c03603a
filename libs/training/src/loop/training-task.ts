import type { LossGradients } from '../model/loss-gradients.js';
import type { TrainableModel } from '../model/trainable-model.js';
import type { Random } from '../data/random.js';

/** Share of rows that an exit labels right, or as the teacher does. */
export interface ExitFigure {
  readonly layer: number;
  readonly share: number;
}

/** What a training loop trains, and how. */
export interface TrainingTask {
  readonly phase: 'train' | 'distil' | 'joint';
  readonly model: TrainableModel;
  /** Names of the tensors that are trained. */
  readonly trained: readonly string[];
  /** Tokens of each row, `[rows]`. */
  readonly lengths: Int32Array;
  /** The corpus' own number of each row, `[rows]`. */
  readonly numbers: Int32Array;
  /** One pass forward and backward. @param step from 0 */
  gradients(rows: Int32Array, random: Random, step: number): LossGradients | Promise<LossGradients>;
  /** How good each exit is on the dev corpus; absent without one. */
  readonly evaluate?: (() => Promise<readonly ExitFigure[]> | readonly ExitFigure[]) | undefined;
  /** The figure by which the best epoch is chosen, from those of `evaluate`. */
  readonly score: (figures: readonly ExitFigure[]) => number;
}
