import { execFile } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { fingerprint } from '#inference/fingerprint.js';
import type { TokenColumns } from '#pipeline/columns.js';
import type { BenchCorpus } from './corpus.js';
import type { BundleKind, Bundles } from './models.js';
import { projectFolder } from '../project-folder.js';

/** How long the rows are, tokens with the special ones. */
export interface LengthDistribution {
  readonly mean: number;
  readonly least: number;
  readonly tenth: number;
  readonly median: number;
  readonly ninetieth: number;
  readonly most: number;
}

export interface BenchConfiguration {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** ONNX Runtime, provider and the instruction sets that pick its kernels. */
  readonly runtime: string;
  readonly node: string;
  readonly platform: string;
  /** Of the machine over a minute, when the bench began. */
  readonly loadAverage: number;
  /** Of the checkout; ends in `+` where files differ from it. */
  readonly commit: string;
  readonly rounds: number;
  /** Inference threads, each with sessions of one thread. */
  readonly workers: number;
  readonly batchTokens: number;
  readonly speed: number;
  readonly model: string;
  /** The model is a bundle, not a checkpoint whose bundles the bench compiles. */
  readonly compiledBefore: boolean;
  readonly bundles: Readonly<Partial<Record<BundleKind, BundleConfiguration>>>;
  readonly corpus: {
    readonly files: readonly string[];
    readonly sha256: string;
    readonly rows: number;
    readonly tokens: number;
    readonly lengths: LengthDistribution;
    /** Rows that int8 scales come from, where the bench compiles. */
    readonly calibrationRows: number;
  };
}

interface BundleConfiguration {
  readonly hash: string;
  readonly exits: readonly number[];
  readonly stages: number;
  /** Matmuls of an int8 bundle that stayed in float32. */
  readonly float32Matmuls: readonly string[];
}

/** What was asked for. */
export type BenchSettings = Pick<
  BenchConfiguration,
  'rounds' | 'workers' | 'batchTokens' | 'speed' | 'model' | 'compiledBefore'
>;

export async function benchConfiguration(
  settings: BenchSettings,
  bundles: Bundles,
  corpus: BenchCorpus,
  tokens: TokenColumns,
): Promise<BenchConfiguration> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    runtime: fingerprint(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    loadAverage: loadavg()[0] ?? 0,
    commit: await commit(),
    ...settings,
    bundles: Object.fromEntries(
      [...bundles].map(([kind, { hash, manifest }]) => [
        kind,
        {
          hash,
          exits: manifest.exits.map(({ layer }) => layer),
          stages: manifest.stages.length,
          float32Matmuls: manifest.float32Matmuls,
        },
      ]),
    ),
    corpus: {
      files: corpus.files,
      sha256: corpus.sha256,
      rows: corpus.texts.length,
      tokens: tokens.ids.length,
      lengths: lengthDistribution(tokens),
      calibrationRows: settings.compiledBefore ? 0 : corpus.calibration.texts.length,
    },
  };
}

export function lengthDistribution({ ids, offsets }: TokenColumns): LengthDistribution {
  const lengths = offsets.slice(1).map((end, row) => end - offsets[row]!);
  const sorted = lengths.sort();
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))]!;
  return {
    mean: ids.length / lengths.length,
    least: at(0),
    tenth: at(0.1),
    median: at(0.5),
    ninetieth: at(0.9),
    most: at(1),
  };
}

async function commit(): Promise<string> {
  try {
    const changed = await git(['status', '--porcelain', '--untracked-files=no']);
    return `${await git(['rev-parse', '--short=12', 'HEAD'])}${changed === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}

async function git(args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('git', args, { cwd: projectFolder })).stdout.trim();
}
