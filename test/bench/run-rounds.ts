import { orderOfRound } from './alternate.js';
import { checkSample, labelsHash } from './checks.js';
import type { Sample } from './result-file.js';
import type { BenchWork, Observation, Variant } from './variants/variant.js';

export interface RoundsResult {
  /** In the order in which they ran. */
  readonly samples: readonly Sample[];
  /** Each variant's first sample, with what it can be checked by. */
  readonly first: ReadonlyMap<string, Observation>;
}

/** Runs every variant once in each round, each in a fresh process, and checks each. @throws BenchCheckError */
export async function runRounds(
  variants: readonly Variant[],
  rounds: number,
  work: BenchWork,
  onSample: (sample: Sample) => void,
): Promise<RoundsResult> {
  const samples: Sample[] = [];
  const first = new Map<string, Observation>();
  for (let round = 0; round < rounds; round++) {
    for (const variant of orderOfRound(variants, round)) {
      const observed = await variant.run(work);
      checkSample(variant, observed, first.get(variant.name), work);
      if (!first.has(variant.name)) first.set(variant.name, observed);
      const { labels, stages: _stages, outputSha256: _output, ...measured } = observed;
      const sample: Sample = {
        variant: variant.name,
        round,
        order: samples.length,
        ...measured,
        labelsSha256: labels && labelsHash(labels),
      };
      samples.push(sample);
      onSample(sample);
    }
  }
  return { samples, first };
}
