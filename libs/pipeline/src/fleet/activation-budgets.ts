import { ByteBudget } from './byte-budget.js';

/** Bound the activations that a worker has to do with. */
export interface ActivationBudgets {
  /** What may survive its last stage at the same time. */
  readonly survivors: ByteBudget;
  /** What has come from other workers. */
  readonly arrived: ByteBudget;
  /** What it gives to the store while rows must wait for room there: what many gave at once would be more than each saw. */
  readonly entering: ByteBudget;
}

/** @param bytes of survivors, and of what has arrived @param blobBytes that are kept, and carried, as one */
export function activationBudgets(bytes: number, blobBytes: number): ActivationBudgets {
  return {
    survivors: new ByteBudget(bytes),
    arrived: new ByteBudget(bytes),
    entering: new ByteBudget(blobBytes),
  };
}
