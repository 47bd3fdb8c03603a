import type { ExitPolicy } from '../exit-policy.js';
import type { RowLabeller, Tokenizer } from '../ports.js';
import { sum } from '../report/counts.js';
import type { ChunkJob } from './fleet-ports.js';
import type { ResultPart } from './result-part.js';

/** Policies whose labellers are kept; they hold nothing while no job is theirs. */
const MOST_POLICIES = 64;

/** Labels jobs with one bundle. Jobs of the same policy share their batches, whatever run they are of. */
export class JobLabeller {
  readonly #tokenizer: Tokenizer;
  readonly #withPolicy: (policy: ExitPolicy) => RowLabeller;
  /** By policy, the latest used last. */
  readonly #labellers = new Map<string, RowLabeller>();

  constructor(tokenizer: Tokenizer, withPolicy: (policy: ExitPolicy) => RowLabeller) {
    this.#tokenizer = tokenizer;
    this.#withPolicy = withPolicy;
  }

  /** @throws PolicyError where the job's policy lacks an exit of the bundle */
  async label({ texts, pairs, policy }: ChunkJob): Promise<ResultPart> {
    const labeller = this.#labellerOf(policy);
    const tokens = await this.#tokenizer.tokenize(texts, pairs);
    return {
      rows: Int32Array.from(texts.keys()),
      labels: await labeller.label(tokens),
      tokens: tokens.ids.length,
      truncated: sum(tokens.truncated),
    };
  }

  #labellerOf(thresholds: ChunkJob['policy']): RowLabeller {
    const policy = new Map(
      Object.entries(thresholds)
        .map(([layer, threshold]): [number, number] => [Number(layer), threshold])
        .sort(([a], [b]) => a - b),
    );
    const key = JSON.stringify([...policy]);
    const labeller = this.#labellers.get(key) ?? this.#withPolicy(policy);
    this.#labellers.delete(key);
    this.#labellers.set(key, labeller);
    const [oldest] = this.#labellers.keys();
    if (this.#labellers.size > MOST_POLICIES && oldest !== undefined) this.#labellers.delete(oldest);
    return labeller;
  }
}
