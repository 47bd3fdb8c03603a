import type { Sample } from '../result-file.js';
import { roundValues } from '../result-file.js';
import type { Spread } from '../statistics.js';
import { ratioWithinRounds } from '../statistics.js';
import type { VariantSummary } from '../summary.js';
import { variantSummary } from '../summary.js';
import type { Variant } from '../variants/variant.js';
import { sluiceNames } from './peers-and-sluice.js';

/** How much faster a variant of Sluice is than a peer: its time ÷ Sluice's, within each round. */
export interface PeerRatio {
  readonly peer: string;
  readonly peerTitle: string;
  readonly sluice: string;
  readonly sluiceTitle: string;
  /** Sluice's whole process, from file to file, against the peer with its model loaded and its texts in memory. */
  readonly wholeProcess: Spread;
  /** Sluice from the first row read to the last commit. */
  readonly withoutStart: Spread;
  /** Processor time; that of Sluice's whole process. */
  readonly processor: Spread;
}

export interface PeersSummary {
  readonly variants: readonly VariantSummary[];
  readonly ratios: readonly PeerRatio[];
  /** What was checked, beside each sample by itself. */
  readonly checks: readonly string[];
}

export function summarisePeers(
  variants: readonly Pick<Variant, 'name' | 'title'>[],
  samples: readonly Sample[],
): Omit<PeersSummary, 'checks'> {
  const ofSluice = variants.filter(({ name }) => sluiceNames.includes(name));
  const peers = variants.filter(({ name }) => !sluiceNames.includes(name));
  return {
    variants: variants.map((variant) => variantSummary(variant, samples)),
    ratios: ofSluice.flatMap((sluice) => peers.map((peer) => peerRatio(peer, sluice, samples))),
  };
}

function peerRatio(
  peer: Pick<Variant, 'name' | 'title'>,
  sluice: Pick<Variant, 'name' | 'title'>,
  samples: readonly Sample[],
): PeerRatio {
  const ratio = (peerTime: (sample: Sample) => number, sluiceTime: (sample: Sample) => number): Spread =>
    ratioWithinRounds(
      roundValues(samples, peer.name, peerTime),
      roundValues(samples, sluice.name, sluiceTime),
    );
  return {
    peer: peer.name,
    peerTitle: peer.title,
    sluice: sluice.name,
    sluiceTitle: sluice.title,
    wholeProcess: ratio(wallSeconds, wallSeconds),
    withoutStart: ratio(wallSeconds, labellingSeconds),
    processor: ratio(cpuSeconds, cpuSeconds),
  };
}

function wallSeconds({ wallSeconds }: Sample): number {
  return wallSeconds;
}

function cpuSeconds({ cpuSeconds }: Sample): number {
  return cpuSeconds;
}

/** Of `sluice label`: from the first row read to the last commit. */
function labellingSeconds({ variant, rows, figures }: Sample): number {
  const rate = figures['labellingTextsPerSecond'];
  if (rate === undefined) throw new RangeError(`${variant} is no sluice label.`);
  return rows / rate;
}
