import { executedWork, fullWork } from './row-figures.js';
import type { Sample } from './result-file.js';
import { roundValues } from './result-file.js';
import type { Spread } from './statistics.js';
import { ratioWithinRounds, spreadOf } from './statistics.js';
import type { MemoryRun } from './memory.js';
import { phasePrefix } from './variants/phases.js';
import type { BenchWork, Observation, Variant } from './variants/variant.js';

export interface VariantSummary {
  readonly variant: string;
  readonly title: string;
  readonly textsPerSecond: Spread;
  readonly wallSeconds: Spread;
  readonly cpuSeconds: Spread;
  readonly peakBytes: Spread;
  /** By name, of the samples' figures. */
  readonly figures: Readonly<Record<string, Spread>>;
}

/** How much faster one variant is than another on the same rows: its time ÷ the other's, within each round. */
export interface SpeedRatio {
  readonly name: string;
  readonly wall: Spread;
  readonly cpu: Spread;
}

/** Of one early-exit variant, against the model without early exits. */
export interface EarlyExitSummary {
  readonly variant: string;
  /** A: FLOPs at full depth ÷ FLOPs executed, exits and attention counted. */
  readonly algorithmic: number;
  /** R: time at full depth ÷ time with early exits. */
  readonly realised: SpeedRatio;
  /** R ÷ A. */
  readonly share: { readonly wall: Spread; readonly cpu: Spread };
}

export interface PhaseSummary {
  readonly phase: string;
  /** Processor seconds for 1,000 texts. */
  readonly cpuSecondsPer1000: Spread;
  /** Of all phases, by the medians. */
  readonly share: number;
}

export interface BenchSummary {
  readonly variants: readonly VariantSummary[];
  readonly ratios: readonly SpeedRatio[];
  readonly earlyExit: readonly EarlyExitSummary[];
  readonly phases: readonly PhaseSummary[];
  /** Processor seconds before the first row, once a run. */
  readonly startCpuSeconds?: Spread | undefined;
  readonly memory: readonly MemoryRun[];
  /** What was checked, beside each sample by itself. */
  readonly checks: readonly string[];
}

/** Name, the slower variant, the faster one. */
const ratios = [
  ['int8 roof over fp32 roof', 'roof-fp32', 'roof-int8'],
  ['int8 roof without QuantizeLinear over fp32 roof', 'roof-fp32', 'roof-int8-bytes'],
  ['int8 over fp32, full depth', 'full-fp32', 'full-int8'],
  ['fp32 full depth, share of its roof', 'roof-fp32', 'full-fp32'],
  ['int8 full depth, share of its roof', 'roof-int8', 'full-int8'],
  ['full depth without exits over with them', 'full-int8-exits', 'full-int8'],
  ['sluice label: early exit over full depth', 'label-full', 'label-early'],
] as const;

export function summarise(
  variants: readonly Variant[],
  samples: readonly Sample[],
  first: ReadonlyMap<string, Observation>,
  work: BenchWork,
): Omit<BenchSummary, 'memory' | 'checks'> {
  const ran = (name: string): boolean => variants.some((variant) => variant.name === name);
  return {
    variants: variants
      .filter(({ name }) => name !== 'phases')
      .map((variant) => variantSummary(variant, samples)),
    ratios: ratios
      .filter(([, slower, faster]) => ran(slower) && ran(faster))
      .map(([name, slower, faster]) => speedRatio(samples, name, slower, faster)),
    earlyExit: ran('full-int8')
      ? variants
          .filter(({ name }) => name.startsWith('early-'))
          .map((variant) => earlyExit(variant, samples, first, work))
      : [],
    ...phaseSummaries(samples),
  };
}

export function variantSummary(
  { name, title }: Pick<Variant, 'name' | 'title'>,
  samples: readonly Sample[],
): VariantSummary {
  const own = samples.filter(({ variant }) => variant === name);
  const spread = (valueOf: (sample: Sample) => number): Spread => spreadOf(own.map(valueOf));
  return {
    variant: name,
    title,
    textsPerSecond: spread(({ rows, wallSeconds }) => rows / wallSeconds),
    wallSeconds: spread(({ wallSeconds }) => wallSeconds),
    cpuSeconds: spread(({ cpuSeconds }) => cpuSeconds),
    peakBytes: spread(({ peakBytes }) => peakBytes),
    figures: Object.fromEntries(
      Object.keys(own[0]?.figures ?? {}).map((figure) => [figure, spread(({ figures }) => figures[figure]!)]),
    ),
  };
}

function speedRatio(samples: readonly Sample[], name: string, slower: string, faster: string): SpeedRatio {
  const ratio = (valueOf: (sample: Sample) => number): Spread =>
    ratioWithinRounds(roundValues(samples, slower, valueOf), roundValues(samples, faster, valueOf));
  return { name, wall: ratio(({ wallSeconds }) => wallSeconds), cpu: ratio(({ cpuSeconds }) => cpuSeconds) };
}

function earlyExit(
  { name, title, bundle }: Variant,
  samples: readonly Sample[],
  first: ReadonlyMap<string, Observation>,
  { bundles, tokens }: BenchWork,
): EarlyExitSummary {
  const manifest = bundles.get(bundle)?.manifest;
  const labels = first.get(name)?.labels;
  if (manifest === undefined || labels === undefined) throw new RangeError(`${name} has no labels.`);
  const algorithmic = fullWork(manifest, tokens) / executedWork(manifest, tokens, labels.exitLayer);
  const realised = speedRatio(samples, title, 'full-int8', name);
  return {
    variant: name,
    algorithmic,
    realised,
    share: { wall: divided(realised.wall, algorithmic), cpu: divided(realised.cpu, algorithmic) },
  };
}

function divided({ median, least, most }: Spread, by: number): Spread {
  return { median: median / by, least: least / by, most: most / by };
}

function phaseSummaries(samples: readonly Sample[]): Pick<BenchSummary, 'phases' | 'startCpuSeconds'> {
  const own = samples.filter(({ variant }) => variant === 'phases');
  const [sample] = own;
  if (sample === undefined) return { phases: [] };
  const names = Object.keys(sample.figures).map((figure) => figure.slice(phasePrefix.length));
  const seconds = (phase: string): number[] => own.map(({ figures }) => figures[`${phasePrefix}${phase}`]!);
  const spreads = names
    .filter((phase) => phase !== 'start')
    .map((phase) => ({
      phase,
      cpuSecondsPer1000: spreadOf(seconds(phase).map((value) => (value * 1000) / sample.rows)),
    }));
  const all = spreads.reduce((sum, { cpuSecondsPer1000 }) => sum + cpuSecondsPer1000.median, 0);
  return {
    phases: spreads.map((phase) => ({ ...phase, share: phase.cpuSecondsPer1000.median / all })),
    startCpuSeconds: spreadOf(seconds('start')),
  };
}
