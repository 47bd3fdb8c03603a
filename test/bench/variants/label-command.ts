import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '#model/bundle/manifest.js';
import type { BundleKind } from '../models.js';
import { accuracy } from '../row-figures.js';
import { runLabel } from '../run-label.js';
import type { Observation, RowLabels, Variant } from './variant.js';
import { bundleOf } from './variant.js';

/** `sluice label`, from file to file. Its time is that of the whole process. */
export function labelCommand(
  name: string,
  depth: 'full' | 'early',
  title: string,
  bundle: BundleKind = 'int8-from-0',
): Variant {
  return {
    name,
    title,
    bundle,
    async run(work): Promise<Observation> {
      const { directory, manifest } = bundleOf(work, bundle);
      const { workers, batchTokens, corpus } = work;
      const run = await runLabel({
        corpus: corpus.path,
        bundle: directory,
        speed: depth === 'full' ? 0 : work.speed,
        workers,
        batchTokens,
        folder: join(work.folder, name),
      });
      const labels = await labelsOf(run.path, manifest);
      const { wallSeconds, usage, firstLabelSeconds, rows, seconds } = run;
      return {
        wallSeconds,
        cpuSeconds: usage.cpuSeconds,
        process: { wallSeconds, cpuSeconds: usage.cpuSeconds },
        rows,
        peakBytes: usage.peakBytes,
        figures: {
          labellingTextsPerSecond: rows / seconds,
          firstLabelSeconds,
          ...accuracy(labels.label, manifest.labels, corpus.golds),
        },
        labels,
        outputSha256: run.sha256,
      };
    },
  };
}

/** Reads an output back. Its rows carry the input's label as `input_label`. */
async function labelsOf(path: string, { labels }: Manifest): Promise<RowLabels> {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  const rows = lines.map((line, number): { label: number; exitLayer: number } => {
    const { id, label, exit_layer }: { id: number; label: string; exit_layer: number } = JSON.parse(line);
    if (id !== number) throw new Error(`Row ${number} of the output is row ${id} of the corpus.`);
    return { label: labels.indexOf(label), exitLayer: exit_layer };
  });
  return {
    label: Uint16Array.from(rows, ({ label }) => label),
    exitLayer: Uint8Array.from(rows, ({ exitLayer }) => exitLayer),
  };
}
