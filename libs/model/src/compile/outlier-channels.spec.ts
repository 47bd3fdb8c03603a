import { describe, expect, it } from 'vitest';
import { outlierChannels, rangeWithout } from './outlier-channels.js';

/** Channels of a given reach upwards, each down to −0.1. */
const reaching = (...max: number[]) => ({
  min: new Float32Array(max.length).fill(-0.1),
  max: Float32Array.from(max),
});

const ordinary = Array.from({ length: 20 }, (_, index) => 3 + index / 10);

describe('outlierChannels', () => {
  it('finds the few channels far beyond all others, upwards and downwards', () => {
    const ranges = reaching(25, ...ordinary, 9);
    ranges.min[5] = -12;
    expect(outlierChannels(ranges)).toEqual([0, 5, 21]);
  });

  it('finds none where the reach grows slowly, where all are alike, and where there are only a few channels', () => {
    expect(outlierChannels(reaching(...ordinary))).toEqual([]);
    expect(outlierChannels(reaching(...Array.from({ length: 20 }, () => 7)))).toEqual([]);
    expect(outlierChannels(reaching(1, 100, 3))).toEqual([]);
  });

  it('finds eight at most', () => {
    expect(outlierChannels(reaching(...ordinary, ...Array.from({ length: 8 }, () => 50)))).toHaveLength(8);
    expect(outlierChannels(reaching(...ordinary, ...Array.from({ length: 9 }, () => 50)))).toEqual([]);
  });
});

describe('rangeWithout', () => {
  it('covers all channels but those left out', () => {
    const ranges = reaching(1, 40, 2);
    ranges.min[0] = -3;
    expect(rangeWithout(ranges, Int32Array.of(1))).toEqual({ min: -3, max: 2 });
    expect(rangeWithout(ranges, Int32Array.of(0))).toEqual({ min: Math.fround(-0.1), max: 40 });
  });
});
