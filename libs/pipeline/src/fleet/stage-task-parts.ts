import type { ActivationBudgets } from './activation-budgets.js';
import type { ActivationStore, ResultStore, StageTransport } from './fleet-ports.js';
import type { WorkerStep } from './fleet-steps.js';
import type { PolicyEngines } from './policy-engines.js';
import type { ModelLayout } from '../stage-layout.js';
import type { Tokenizer } from '../ports.js';

/** Why work is done again. */
export type RetryReason = 'activations-missing' | 'activations-damaged' | 'activations-refused';

/** What a job is worked on with. */
export interface StageTaskParts {
  readonly layout: ModelLayout;
  /** 0-based; survivors of this one are given to the queue. */
  readonly lastStage: number;
  readonly tokenizer: Tokenizer;
  readonly engines: PolicyEngines;
  readonly transport: StageTransport;
  readonly results: ResultStore;
  readonly activations: ActivationStore;
  readonly budgets: ActivationBudgets;
  /** The most bytes of activations that are kept, and carried, as one. */
  readonly blobBytes: number;
  /** Hears, now and then, that rows wait for what other workers do. */
  readonly onWait?: (() => void) | undefined;
  readonly onRetry?: ((reason: RetryReason, rows: number) => void) | undefined;
  /** Hears each step as it is reached. It may not return. */
  readonly onStep?: ((step: WorkerStep) => void) | undefined;
}
