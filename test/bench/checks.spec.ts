import { describe, expect, it } from 'vitest';
import { BenchCheckError, checkAcross } from './checks.js';
import type { Observation } from './variants/variant.js';

function observed(
  label: readonly number[],
  exitLayer: readonly number[],
  outputSha256?: string,
): Observation {
  return {
    wallSeconds: 1,
    cpuSeconds: 1,
    process: { wallSeconds: 1, cpuSeconds: 1 },
    rows: label.length,
    peakBytes: 1,
    figures: {},
    labels: { label: Uint16Array.from(label), exitLayer: Uint8Array.from(exitLayer) },
    outputSha256,
  };
}

const hundred = (wrong: number): number[] => Array.from({ length: 100 }, (_, row) => (row < wrong ? 1 : 0));
const last = hundred(0).fill(6);

/** @param wrong rows that int8 labels otherwise than fp32 */
function fullDepth(wrong: number): Map<string, Observation> {
  return new Map([
    ['full-fp32', observed(hundred(0), last)],
    ['full-int8', observed(hundred(wrong), last)],
  ]);
}

describe('checkAcross', () => {
  it.each([
    ['label', [0, 1, 1]],
    ['exit', [0, 0, 1]],
  ])('refuses another %s in the engine than from file to file', (what, label) => {
    const command = observed(label, what === 'exit' ? [0, 6, 1] : [0, 2, 1]);
    const samples = new Map([
      ['early-from-0', observed([0, 0, 1], [0, 2, 1])],
      ['label-early', command],
    ]);
    expect(() => checkAcross(samples)).toThrow(
      /Row 1 has label 0 from exit 2 in early-from-0, label \d from exit \d in label-early/,
    );
  });

  it('refuses an int8 that labels more than two in a hundred rows otherwise than fp32', () => {
    expect(() => checkAcross(fullDepth(3))).toThrow(BenchCheckError);
    expect(checkAcross(fullDepth(2))).toEqual(['full-int8 labels 98.00 % of the rows as full-fp32 does']);
  });

  it('refuses phases that write other bytes than the command', () => {
    const samples = new Map([
      ['label-early', observed([0], [6], 'a')],
      ['phases', observed([0], [6], 'b')],
    ]);
    expect(() => checkAcross(samples)).toThrow('label-early and phases wrote different bytes');
  });
});
