import type { ExitFigure } from './training-task.js';

/** One line of `training.jsonl`. */
export type TrainingEvent = StepEvent | EpochEvent;

export interface StepEvent {
  readonly kind: 'step';
  readonly phase: string;
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly rate: number;
  /** Norm of the gradient before it was clipped. */
  readonly norm: number;
  readonly rows: number;
  readonly tokens: number;
  readonly ms: number;
}

export interface EpochEvent {
  readonly kind: 'epoch';
  readonly phase: string;
  readonly epoch: number;
  readonly step: number;
  /** On the dev corpus. */
  readonly dev: readonly ExitFigure[];
  readonly score: number;
  readonly isBest: boolean;
}
