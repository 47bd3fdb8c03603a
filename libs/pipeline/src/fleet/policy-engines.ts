import type { StageInput, StageOutcome } from '../engine/label-task.js';
import type { ExitPolicy } from '../exit-policy.js';

/** Policies whose engines are kept; an engine holds nothing while no job is its own. */
const MOST_POLICIES = 64;

/** Runs rows through the stages that are served here: a stage engine. */
export interface StageRows {
  run(input: StageInput): Promise<StageOutcome>;
}

/** An engine for each policy, so that the jobs of one policy share their batches, whatever run they are of. */
export class PolicyEngines {
  readonly #withPolicy: (policy: ExitPolicy) => StageRows;
  /** By policy, the latest used last. */
  readonly #engines = new Map<string, StageRows>();

  constructor(withPolicy: (policy: ExitPolicy) => StageRows) {
    this.#withPolicy = withPolicy;
  }

  /** @throws PolicyError where the policy lacks an exit of the bundle */
  of(thresholds: Readonly<Record<string, number>>): StageRows {
    const policy = policyOf(thresholds);
    const key = JSON.stringify([...policy]);
    const engine = this.#engines.get(key) ?? this.#withPolicy(policy);
    this.#engines.delete(key);
    this.#engines.set(key, engine);
    const [oldest] = this.#engines.keys();
    if (this.#engines.size > MOST_POLICIES && oldest !== undefined) this.#engines.delete(oldest);
    return engine;
  }
}

/** @param thresholds by layer, in any order */
export function policyOf(thresholds: Readonly<Record<string, number>>): ExitPolicy {
  return new Map(
    Object.entries(thresholds)
      .map(([layer, threshold]): [number, number] => [Number(layer), threshold])
      .sort(([a], [b]) => a - b),
  );
}
