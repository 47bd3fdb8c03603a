import type { TrainingProgress } from '../report/training-progress.js';
import type { TrainingStep } from './training-steps.js';

export type TrainingPhase = 'waiting' | 'running' | 'finished' | 'failed' | 'cancelled';

/** Where a training stands as a whole. */
export interface TrainingState {
  readonly phase: TrainingPhase;
  /** ISO 8601. */
  readonly since: string;
  /** Why it failed. */
  readonly error?: string | undefined;
  /** Trainers that died with it since it last went on by a step. */
  readonly deaths?: number | undefined;
}

/** Whether a training goes on by itself. */
export const isTrainingUnderWay = ({ phase }: Pick<TrainingState, 'phase'>): boolean =>
  phase === 'waiting' || phase === 'running';

/** How far a step is. */
export interface StepProgress extends Omit<TrainingProgress, 'phase'> {
  readonly etaSeconds?: number | undefined;
}

/** What a step has come to. */
export interface StepResult {
  readonly seconds: number;
  /** Of a compilation: the version that was registered. */
  readonly version?: number | undefined;
}

/** What is written down of a step while it goes on. */
export interface StepRecord {
  readonly notes: readonly string[];
  readonly progress?: StepProgress | undefined;
}

export interface StepView extends StepRecord {
  readonly kind: TrainingStep['kind'];
  readonly phase: 'waiting' | 'running' | 'finished' | 'failed' | 'cancelled';
  readonly seconds?: number | undefined;
}

/** A training as the API tells of it. */
export interface TrainingView extends TrainingState {
  readonly id: string;
  /** Of the model whose version it makes. */
  readonly name: string;
  readonly owner: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly steps: readonly StepView[];
  /** What was registered. */
  readonly model?: { readonly name: string; readonly version: number } | undefined;
  /** Why it does not go on, such as that there is no trainer. */
  readonly waitsFor?: string | undefined;
}
