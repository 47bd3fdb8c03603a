import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HIDDEN, reference, tokensOf } from '../../../../test/hashing-runner.js';
import { PolicyError } from '../exit-policy.js';
import type { ModelLayout } from '../stage-layout.js';
import { leavingExits } from './leaving-exits.js';
import type { OpinionColumns } from './opinion-columns.js';

/** Rows with these uncertainties at exits 0, 2 and 3. */
function opinionsOf(rows: readonly (readonly [number, number, number])[]): OpinionColumns {
  return {
    rows: rows.length,
    lengths: new Int32Array(rows.length),
    golds: new Int32Array(rows.length),
    exits: [0, 2, 3].map((layer, exit) => ({
      layer,
      label: new Uint16Array(rows.length),
      uncertainty: Float32Array.from(rows, (row) => row[exit]!),
    })),
  };
}

const everywhere = (speed: number) => new Map([0, 2, 3].map((layer) => [layer, speed]));

describe('leavingExits', () => {
  const rows = [
    [0.05, 0.5, 0.9],
    [0.1, 0.09, 0.9],
    [0.4, 0.4, 0.9],
  ] as const;

  it('lets a row leave at the first exit below its threshold, the last taking all', () => {
    const opinions = opinionsOf(rows);
    expect([...leavingExits(opinions, everywhere(0.1))]).toEqual([0, 1, 2]);
    expect([...leavingExits(opinions, everywhere(0))]).toEqual([2, 2, 2]);
    expect([...leavingExits(opinions, everywhere(1))]).toEqual([0, 0, 0]);
    const mixed = new Map([
      [0, 0],
      [2, 0.45],
      [3, 0],
    ]);
    expect([...leavingExits(opinions, mixed)]).toEqual([2, 1, 1]);
  });

  it('compares in float32, where 0.7 is not below 0.7', () => {
    // In float64 it would be: the nearest float32 lies under it.
    expect(Math.fround(0.7)).toBeLessThan(0.7);
    expect([...leavingExits(opinionsOf([[0.7, 1, 1]]), everywhere(0.7))]).toEqual([2]);
  });

  it('wants a threshold for every exit', () => {
    expect(() => leavingExits(opinionsOf(rows), new Map([[0, 0.1]]))).toThrow(PolicyError);
  });

  const layout: ModelLayout = {
    labels: ['a', 'b', 'c'],
    task: 'single',
    hiddenSize: HIDDEN,
    activation: 'float32',
    stages: [{ exits: [0] }, { exits: [1, 2] }, { exits: [3] }],
  };
  const layers = [0, 1, 2, 3];

  it('says of any rows and policy where the stages let them leave, and with which label', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 });
    // Multiples of 0.1 meet uncertainties exactly.
    const thresholds = fc.array(fc.constantFrom(0, 0.1, 0.3, 0.5, 0.7, 1), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(lengths, thresholds, (lengths, thresholds) => {
        const tokens = tokensOf(lengths, 'single', 0);
        const policy = new Map(layers.map((layer, index) => [layer, thresholds[index]!]));
        const only = (here: number) => new Map(layers.map((layer) => [layer, layer === here ? 2 : -1]));
        const opinions: OpinionColumns = {
          rows: lengths.length,
          lengths: Int32Array.from(lengths),
          golds: new Int32Array(lengths.length),
          exits: layers.map((layer) => ({ layer, ...reference(tokens, layout, only(layer)) })),
        };
        const labelled = reference(tokens, layout, policy);
        const leaving = leavingExits(opinions, policy);
        expect([...leaving].map((exit) => layers[exit])).toEqual([...labelled.exitLayer]);
        expect([...leaving].map((exit, row) => opinions.exits[exit]?.label[row])).toEqual([
          ...labelled.label,
        ]);
      }),
    );
  });
});
