import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runChild } from '../children/run-child.js';
import type { Observation, Variant } from './variant.js';
import { bundleOf } from './variant.js';

/** Prefix of the figures that are processor seconds of a phase. */
export const phasePrefix = 'phase: ';

/** What `sluice label` does, one phase after the other. Its times are those of all phases but the start. */
export const phases: Variant = {
  name: 'phases',
  title: 'file to file, phase by phase',
  bundle: 'int8-from-0',
  async run(work): Promise<Observation> {
    const { speed, workers, batchTokens, corpus } = work;
    const folder = join(work.folder, 'phases');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const { answer, usage, wallSeconds } = await runChild('phases.child.js', {
      bundle: bundleOf(work, 'int8-from-0').directory,
      speed,
      workers,
      batchTokens,
      corpus: corpus.path,
      out: join(folder, 'out.jsonl'),
    });
    const spent = Object.entries(answer.cpuSeconds);
    return {
      wallSeconds: answer.wallSeconds,
      cpuSeconds: spent.reduce((sum, [phase, seconds]) => sum + (phase === 'start' ? 0 : seconds), 0),
      process: { wallSeconds, cpuSeconds: usage.cpuSeconds },
      rows: answer.rows,
      peakBytes: usage.peakBytes,
      figures: Object.fromEntries(spent.map(([phase, seconds]) => [`${phasePrefix}${phase}`, seconds])),
      outputSha256: answer.outputSha256,
    };
  },
};
