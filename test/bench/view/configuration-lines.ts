import type { BenchConfiguration } from '../configuration.js';
import { fixed } from './spread-text.js';

/** What a result was measured with. */
export function configurationLines(configuration: BenchConfiguration): string[] {
  const { cpu, cores, memoryBytes, runtime, node, platform, loadAverage, commit } = configuration;
  const { rounds, workers, batchTokens, speed, model, compiledBefore, bundles, corpus } = configuration;
  const { mean, least, tenth, median, ninetieth, most } = corpus.lengths;
  return [
    `processor: ${cpu}, ${cores} cores, ${fixed(memoryBytes / 2 ** 30, 0)} GiB, load ${fixed(loadAverage, 2)} at the start`,
    `runtime: ${runtime}; Node ${node}, ${platform}; commit ${commit}`,
    `threads: ${workers} with one session thread each; ${fixed(batchTokens, 0)} tokens a batch; speed ${speed}; ${rounds === 1 ? '1 round' : `${rounds} rounds`}`,
    `corpus: ${corpus.files.join(' + ')}, ${fixed(corpus.rows, 0)} rows, sha256 ${corpus.sha256.slice(0, 12)}; ` +
      `tokens a row: mean ${fixed(mean, 1)}, least ${least}, 10 % ${tenth}, median ${median}, 90 % ${ninetieth}, most ${most}`,
    `model: ${model}, ${compiledBefore ? 'compiled before' : `int8 scales of ${corpus.calibrationRows} rows`}`,
    ...Object.entries(bundles).map(
      ([kind, { hash, exits, stages, float32Matmuls }]) =>
        `bundle ${kind}: ${hash.slice(0, 12)}, exits ${exits.join(' ')}, ${stages === 1 ? '1 stage' : `${stages} stages`}` +
        (float32Matmuls.length > 0 ? `, in float32: ${float32Matmuls.join(' ')}` : ''),
    ),
  ];
}
