import type { ModelLayout } from './stage-layout.js';
import { exitLayers } from './stage-layout.js';

/**
 * The threshold of each exit: a row leaves at the first exit whose uncertainty is below its threshold.
 * Keys are layers. The last exit takes every row whatever its threshold.
 */
export type ExitPolicy = ReadonlyMap<number, number>;

export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

/** The paper's policy: one threshold everywhere. Speed 0 sends every row through every layer. */
export function policyOfSpeed(speed: number, layout: ModelLayout): ExitPolicy {
  if (!(speed >= 0 && speed <= 1)) {
    throw new PolicyError(
      `Speed must be a number from 0 (full depth) to 1 (first exit); got ${String(speed)}.`,
    );
  }
  return new Map(exitLayers(layout).map((layer) => [layer, speed]));
}

/** The policy of one stage as its graph takes it: `[exits in the stage]`. */
export function stagePolicy(policy: ExitPolicy, exits: readonly number[]): Float32Array {
  return Float32Array.from(exits, (layer) => {
    const threshold = policy.get(layer);
    if (threshold === undefined) throw new PolicyError(`The policy has no threshold for exit ${layer}.`);
    return threshold;
  });
}
