import { fingerprint } from '#inference/fingerprint.js';
import type { Bundle } from '#model/bundle/bundle.js';
import { DedupingLabeller } from '#pipeline/engine/deduping-labeller.js';
import type { ExitPolicy } from '#pipeline/exit-policy.js';
import { LocalChunkLabeller } from '#pipeline/local-chunk-labeller.js';
import type { Telemetry } from '#pipeline/ports.js';
import type { ChunkWorkers } from './label-corpus.js';
import type { LabellerOptions } from './open-labeller.js';
import { openLabeller } from './open-labeller.js';

export interface LocalWorkersOptions extends LabellerOptions {
  /** Whether texts of the same tokens are computed once. */
  readonly dedupe: boolean;
  /** Bound of the texts that are remembered for that, MiB. */
  readonly dedupeMemory: number;
}

/** Threads of this process. */
export function localWorkers(
  bundle: Bundle,
  policy: ExitPolicy,
  options: LocalWorkersOptions,
  telemetry?: Telemetry,
): ChunkWorkers {
  return {
    fingerprint: fingerprint(),
    async open() {
      const opened = await openLabeller(bundle, options);
      const engine = opened.withPolicy(policy, { telemetry });
      const classes = bundle.manifest.labels.length;
      const dedupe = { bytes: options.dedupeMemory * 2 ** 20, telemetry };
      const labeller = options.dedupe ? new DedupingLabeller(engine, classes, dedupe) : engine;
      return {
        labeller: new LocalChunkLabeller(opened.tokenizer, labeller),
        close: () => opened.close(),
      };
    },
  };
}
