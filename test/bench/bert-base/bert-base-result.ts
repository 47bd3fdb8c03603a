import type { BenchConfiguration } from '../configuration.js';
import type { Sample } from '../result-file.js';
import { roundValues } from '../result-file.js';
import type { Spread } from '../statistics.js';
import { ratioWithinRounds } from '../statistics.js';
import type { VariantSummary } from '../summary.js';
import { variantSummary } from '../summary.js';
import { fixed, spreadText } from '../view/spread-text.js';
import type { ResultTable } from '../view/table.js';
import type { DepthVariant, Engine } from './depth-variants.js';
import { engines } from './depth-variants.js';
import type { PreparedBundles } from './prepare-bundles.js';
import { bertBase } from './write-model.js';

export interface BertBaseConfiguration extends BenchConfiguration {
  /** Of Python and its packages. */
  readonly versions: Readonly<Record<string, string>>;
}

/** `sluice label`, int8 at full depth, over the whole corpus. */
export interface WholeRun {
  readonly rows: number;
  /** From the first row read to the last commit. */
  readonly seconds: number;
  readonly peakBytes: number;
}

export interface BertBaseSummary {
  readonly variants: readonly (VariantSummary & Pick<DepthVariant, 'engine' | 'depth'>)[];
  /** Time of PyTorch ÷ time of Sluice within each round. */
  readonly ratios: readonly { readonly depth: number; readonly pair: string; readonly times: Spread }[];
  readonly steps: PreparedBundles['steps'];
  readonly whole?: WholeRun | undefined;
  readonly checks: readonly string[];
}

const pairs: readonly (readonly [Engine, Engine])[] = [
  ['sluice-int8', 'pytorch-1'],
  ['sluice-int8', 'pytorch-32'],
  ['sluice-fp32', 'pytorch-32'],
  ['sluice-int8', 'sluice-fp32'],
];

export function summariseDepths(
  variants: readonly DepthVariant[],
  samples: readonly Sample[],
): Pick<BertBaseSummary, 'variants' | 'ratios'> {
  const seconds = (name: string) => roundValues(samples, name, ({ wallSeconds }) => wallSeconds);
  return {
    variants: variants.map((variant) => ({
      ...variantSummary(variant, samples),
      engine: variant.engine,
      depth: variant.depth,
    })),
    ratios: depthsOf(variants).flatMap((depth) =>
      pairs.map(([faster, slower]) => ({
        depth,
        pair: `${engines[faster]} over ${engines[slower]}`,
        times: ratioWithinRounds(seconds(`${slower}-${depth}`), seconds(`${faster}-${depth}`)),
      })),
    ),
  };
}

const depthsOf = (all: readonly Pick<DepthVariant, 'depth'>[]): number[] => [
  ...new Set(all.map(({ depth }) => depth)),
];

const depthText = (depth: number): string =>
  depth === bertBase.layers ? `${depth} (full depth)` : String(depth);

const spreads = (found: readonly Spread[], unit: string): string[] =>
  found.map((spread) => spreadText(spread, spread.median < 10 ? 2 : 1, unit));

const MEBIBYTE = 2 ** 20;

export function bertBaseTables({ variants, ratios, steps, whole }: BertBaseSummary): ResultTable[] {
  const names = Object.keys(engines);
  const pairNames = [...new Set(ratios.map(({ pair }) => pair))];
  return [
    {
      title: 'Texts per second',
      note:
        'Every text leaves after the same layer; the exits before it are computed too. From the first text read to the last ' +
        'label: of Sluice committed to a file, of PyTorch in memory; the model is loaded, tokenising is part of it.',
      columns: ['leaving after layer', ...Object.values(engines)],
      rows: depthsOf(variants).map((depth) => [
        depthText(depth),
        ...spreads(
          names.map(
            (name) => variants.find((each) => each.engine === name && each.depth === depth)!.textsPerSecond,
          ),
          '',
        ),
      ]),
    },
    {
      title: 'How many times faster',
      note: 'Time ÷ time within each round; median (least–most) over the rounds.',
      columns: ['leaving after layer', ...pairNames],
      rows: depthsOf(variants).map((depth) => [
        depthText(depth),
        ...spreads(
          pairNames.map((pair) => ratios.find((each) => each.depth === depth && each.pair === pair)!.times),
          ' ×',
        ),
      ]),
    },
    {
      title: 'Before and beside',
      note: 'Each once, the whole process, but for the last: `sluice label`, int8 at full depth, from the first row read on.',
      columns: ['', 'seconds', 'peak MiB'],
      rows: [
        ...Object.entries(steps).map(([step, { wallSeconds, peakBytes }]) => [
          `sluice ${step}`,
          fixed(wallSeconds, 1),
          fixed(peakBytes / MEBIBYTE, 0),
        ]),
        ...(whole === undefined
          ? []
          : [
              [
                `the whole corpus, ${fixed(whole.rows, 0)} rows, ${fixed(whole.rows / whole.seconds, 1)} texts/s`,
                fixed(whole.seconds, 1),
                fixed(whole.peakBytes / MEBIBYTE, 0),
              ],
            ]),
      ],
    },
  ];
}
