/** What the API answers, where no library has it. */
import type { ModelView as PlainModelView } from '../../../src/model-desk.js';

/** Who asks, and what that allows. */
export interface Session {
  readonly id: string;
  readonly scope: 'read' | 'submit' | 'admin';
}

export interface ModelVersion {
  readonly version: number;
  readonly bundle: string;
  readonly createdAt: string;
  readonly promoted: boolean;
  readonly precision: string;
  readonly workers: number;
  readonly hasCard: boolean;
  readonly hasEvaluation: boolean;
}

/** A model; versions are told of where the producer keeps several. */
export type ModelView = PlainModelView & {
  readonly version?: number;
  readonly versions?: readonly ModelVersion[];
};

interface Share {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** Of `sluice evaluate --json`, what is shown. */
export interface Evaluation {
  readonly layers: number;
  readonly policies: readonly {
    readonly name: string;
    readonly thresholds: Readonly<Record<string, number>>;
    readonly accuracy?: Share | undefined;
    readonly agreement: Share;
    readonly meanLayers: number;
    readonly work: { readonly saved: number };
    readonly exits: readonly { readonly layer: number; readonly share: number }[];
  }[];
}

export interface TrainingProgress {
  readonly fraction?: number;
  readonly what: string;
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly loss: number;
  readonly rate: number;
  readonly stepsPerSecond: number;
  readonly etaSeconds?: number;
  readonly dev: readonly { readonly layer: number; readonly share: number }[];
}

export interface TrainingStep {
  readonly kind: string;
  readonly phase: 'waiting' | 'running' | 'finished' | 'failed';
  readonly seconds?: number;
  readonly notes: readonly string[];
  readonly progress?: TrainingProgress;
}

export interface TrainingView {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly createdAt: string;
  readonly phase: 'waiting' | 'running' | 'finished' | 'failed' | 'cancelled';
  readonly since: string;
  readonly error?: string;
  readonly steps: readonly TrainingStep[];
  readonly model?: { readonly name: string; readonly version: number };
}
