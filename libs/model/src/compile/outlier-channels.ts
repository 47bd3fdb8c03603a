import type { Range } from './quantise.js';

/** Least and greatest value of each channel of an activation site, `[channels]`. */
export interface ChannelRanges {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

/** Each costs a row of a float32 matmul. */
const MOST_OUTLIERS = 8;
/** By how much an outlier exceeds the largest channel that cannot be one. */
const FAR = 1.25;

/**
 * The few channels with values far beyond those of all others, ascending. A trained BERT has one to six of some 1,500 in
 * each feed-forward layer, up to four times as large as the next (compare LLM.int8(), arXiv 2208.07339); a scale that
 * covers them is as many times coarser for everything else.
 */
export function outlierChannels(ranges: ChannelRanges): number[] {
  const reach = Array.from(ranges.max, (max, channel) => Math.max(max, -ranges.min[channel]!));
  const ordinary = reach.toSorted((one, other) => other - one)[MOST_OUTLIERS] ?? Infinity;
  return [...reach.keys()].filter((channel) => reach[channel]! > FAR * ordinary);
}

/** The range of all channels but some. */
export function rangeWithout({ min, max }: ChannelRanges, left: Int32Array): Range {
  const without = new Set(left);
  const kept = [...min.keys()].filter((channel) => !without.has(channel));
  return {
    min: kept.reduce((least, channel) => Math.min(least, min[channel]!), Infinity),
    max: kept.reduce((most, channel) => Math.max(most, max[channel]!), -Infinity),
  };
}
