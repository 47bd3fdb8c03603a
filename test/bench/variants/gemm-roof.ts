import { runChild } from '../children/run-child.js';
import type { RoofKind } from '../children/roof-graph.js';
import { roofWork } from '../children/roof-graph.js';
import type { Observation, Variant } from './variant.js';
import { bundleOf } from './variant.js';

/** The matmuls of all layers and nothing else, in the shapes of the run at full depth: no run can be faster. */
export function gemmRoof(name: string, kind: RoofKind, title: string): Variant {
  return {
    name,
    title,
    bundle: 'int8-last',
    async run(work): Promise<Observation> {
      const { geometry } = bundleOf(work, 'int8-last').manifest;
      const { answer, usage, wallSeconds } = await runChild('roof.child.js', {
        kind,
        shape: geometry,
        batches: work.batches,
        workers: work.workers,
      });
      const tokens = work.tokens.ids.length;
      return {
        wallSeconds: answer.wallSeconds,
        cpuSeconds: answer.cpuSeconds,
        process: { wallSeconds, cpuSeconds: usage.cpuSeconds },
        rows: work.corpus.texts.length,
        peakBytes: usage.peakBytes,
        figures: { gflops: roofWork(geometry, tokens) / answer.wallSeconds / 1e9 },
      };
    },
  };
}
