import { runChild } from '../children/run-child.js';
import type { BundleKind } from '../models.js';
import { accuracy, executedWork } from '../row-figures.js';
import type { Observation, Variant } from './variant.js';
import { bundleOf } from './variant.js';

/** The stage engine over rows that were tokenised before. */
export function stageEngine(
  name: string,
  bundle: BundleKind,
  depth: 'full' | 'early',
  title: string,
): Variant {
  return {
    name,
    title,
    bundle,
    async run(work): Promise<Observation> {
      const { directory, manifest } = bundleOf(work, bundle);
      const { tokens, workers, batchTokens } = work;
      const speed = depth === 'full' ? 0 : work.speed;
      const { answer, usage, wallSeconds } = await runChild('engine.child.js', {
        bundle: directory,
        speed,
        workers,
        batchTokens,
        tokens,
      });
      const { labels, stages } = answer;
      const flops = executedWork(manifest, tokens, labels.exitLayer);
      return {
        wallSeconds: answer.wallSeconds,
        cpuSeconds: answer.cpuSeconds,
        process: { wallSeconds, cpuSeconds: usage.cpuSeconds },
        rows: labels.rows,
        peakBytes: usage.peakBytes,
        figures: {
          flops,
          gflops: flops / answer.wallSeconds / 1e9,
          meanLayers: labels.exitLayer.reduce((sum, layer) => sum + layer, 0) / labels.rows,
          ...accuracy(labels.label, manifest.labels, work.corpus.golds),
        },
        labels,
        stages,
      };
    },
  };
}
