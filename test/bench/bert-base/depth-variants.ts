import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { BenchCorpus } from '../corpus.js';
import { peersFolder } from '../peers/peers-folder.js';
import { runPython, threadSettings } from '../peers/run-python.js';
import { projectFolder } from '../../project-folder.js';
import type { Sample } from '../result-file.js';
import { runLabel } from '../run-label.js';
import type { PreparedBundles } from './prepare-bundles.js';
import { exitLayers } from './prepare-bundles.js';
import { bertBase } from './write-model.js';

export interface DepthWork extends PreparedBundles {
  readonly corpus: BenchCorpus;
  readonly threads: number;
  readonly python: string;
  readonly folder: string;
  /** Of Python and its packages; filled while they run. */
  readonly versions: Map<string, string>;
}

/** Probability of the first class of each row, and what it took. */
export interface DepthObservation extends Omit<Sample, 'variant' | 'round' | 'order' | 'labelsSha256'> {
  readonly probabilities: readonly number[];
}

export interface DepthVariant {
  readonly name: string;
  readonly title: string;
  readonly engine: Engine;
  /** Layer that every text leaves after. */
  readonly depth: number;
  run(work: DepthWork): Promise<DepthObservation>;
}

export const engines = {
  'sluice-int8': 'Sluice int8',
  'sluice-fp32': 'Sluice fp32',
  'pytorch-1': 'PyTorch fp32, batch 1',
  'pytorch-32': 'PyTorch fp32, batch 32',
} as const;
export type Engine = keyof typeof engines;

/** The rows were not labelled as they were to be. */
export class DepthCheckError extends Error {
  override readonly name = 'DepthCheckError';
}

/** Every engine at every depth, the deepest first. */
export const depthVariants: readonly DepthVariant[] = exitLayers
  .toReversed()
  .flatMap((depth) => [
    sluiceVariant('sluice-int8', 'int8', depth),
    sluiceVariant('sluice-fp32', 'fp32', depth),
    pytorchVariant('pytorch-1', 1, depth),
    pytorchVariant('pytorch-32', 32, depth),
  ]);

/** `sluice label` takes so many unless told otherwise. */
export const BATCH_TOKENS = 1024;

/** From the first row read to the last commit: as PyTorch's time, without start. */
function sluiceVariant(engine: Engine, bundle: 'int8' | 'fp32', depth: number): DepthVariant {
  const name = `${engine}-${depth}`;
  return {
    name,
    title: titleOf(engine, depth),
    engine,
    depth,
    async run(work): Promise<DepthObservation> {
      const { path, rows, seconds, wallSeconds, usage } = await runLabel({
        corpus: work.corpus.path,
        bundle: work.bundles[bundle],
        speed: work.policies.get(depth)!,
        workers: work.threads,
        batchTokens: BATCH_TOKENS,
        folder: join(work.folder, name),
        probabilities: true,
      });
      return {
        wallSeconds: seconds,
        cpuSeconds: usage.cpuSeconds,
        process: { wallSeconds, cpuSeconds: usage.cpuSeconds },
        rows,
        peakBytes: usage.peakBytes,
        figures: {},
        probabilities: await probabilitiesOf(path, depth),
      };
    },
  };
}

/** @throws DepthCheckError where a row left elsewhere */
async function probabilitiesOf(path: string, depth: number): Promise<number[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line, row) => {
    const { exit_layer: left, probability_0: probability }: { exit_layer: number; probability_0: number } =
      JSON.parse(line);
    if (left !== depth) throw new DepthCheckError(`Row ${row} left after layer ${left}, not ${depth}.`);
    return probability;
  });
}

const answerSchema = z.object({
  probabilities: z.array(z.array(z.number()).length(bertBase.classes)),
  wallSeconds: z.number().positive(),
  cpuSeconds: z.number().positive(),
  processCpuSeconds: z.number().positive(),
  peakBytes: z.number().positive(),
  versions: z.record(z.string(), z.string()),
});

function pytorchVariant(engine: Engine, batchSize: number, depth: number): DepthVariant {
  const name = `${engine}-${depth}`;
  return {
    name,
    title: titleOf(engine, depth),
    engine,
    depth,
    async run({ model, corpus, threads, python, folder, versions }): Promise<DepthObservation> {
      const answer = join(folder, `${name}.json`);
      const values = {
        model,
        corpus: corpus.path,
        answer,
        exits: exitLayers.join(','),
        depth,
        threads,
        'batch-size': batchSize,
        'max-length': bertBase.maxLength,
      };
      const flags = Object.entries(values).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
      const program = join(projectFolder, 'test/bench/bert-base/run_bitvoyage.py');
      const wholeSeconds = await runPython(python, [program, ...flags], {
        ...threadSettings(threads),
        PYTHONPATH: peersFolder,
      });
      const found = answerSchema.parse(JSON.parse(await readFile(answer, 'utf8')));
      for (const [name, version] of Object.entries(found.versions)) versions.set(name, version);
      return {
        wallSeconds: found.wallSeconds,
        cpuSeconds: found.cpuSeconds,
        process: { wallSeconds: wholeSeconds, cpuSeconds: found.processCpuSeconds },
        rows: found.probabilities.length,
        peakBytes: found.peakBytes,
        figures: {},
        probabilities: found.probabilities.map(([first]) => first!),
      };
    },
  };
}

function titleOf(engine: Engine, depth: number): string {
  return `${engines[engine]}, ${depth === bertBase.layers ? 'full depth' : `leaving after layer ${depth}`}`;
}
