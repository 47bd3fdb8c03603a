import { expect, it } from 'vitest';
import type { Sample } from '../result-file.js';
import type { Spread } from '../statistics.js';
import { plainTable } from '../view/plain-tables.js';
import { summarisePeers } from './peers-summary.js';
import { peersTables } from './peers-tables.js';

const variants = [
  { name: 'pytorch-int8', title: 'PyTorch dynamic int8, sorted' },
  { name: 'label-early', title: 'sluice label, early exit from exit 0' },
];

/** A machine that is half as fast in round 1. */
function sample(variant: string, round: number, wallSeconds: number, figures: Sample['figures']): Sample {
  const cpuSeconds = 2 * wallSeconds;
  return {
    variant,
    round,
    order: 0,
    rows: 600,
    wallSeconds,
    cpuSeconds,
    process: { wallSeconds: wallSeconds + 4, cpuSeconds },
    peakBytes: 2 ** 29,
    figures: { accuracy: 0.896, ...figures },
  };
}

const samples = [0, 1].flatMap((round) => {
  const slower = 1 + round;
  return [
    sample('pytorch-int8', round, 21 * slower, {}),
    sample('label-early', round, 3 * slower, { labellingTextsPerSecond: 300 / slower }),
  ];
});

/** The same in every round. */
function always(ratio: number): Spread {
  return { median: ratio, least: ratio, most: ratio };
}

it('divides the time of each peer by that of Sluice within the round', () => {
  const { ratios, variants: summaries } = summarisePeers(variants, samples);
  expect(ratios).toEqual([
    {
      peer: 'pytorch-int8',
      peerTitle: 'PyTorch dynamic int8, sorted',
      sluice: 'label-early',
      sluiceTitle: 'sluice label, early exit from exit 0',
      wholeProcess: always(7),
      withoutStart: always(10.5),
      processor: always(7),
    },
  ]);
  expect(summaries[1]?.textsPerSecond).toEqual({ median: 150, least: 100, most: 200 });
});

it('shows both in tables', () => {
  const text = peersTables({ ...summarisePeers(variants, samples), checks: [] })
    .flatMap(plainTable)
    .join('\n');
  expect(text).toMatch(
    /sluice label, early exit from exit 0 +150 \(100–200\) +9\.00 \(6\.00–12\.00\) +512 +0\.896/,
  );
  expect(text).toMatch(/over PyTorch dynamic int8, sorted +7\.0 × +10\.5 × +7\.0 ×/);
});
