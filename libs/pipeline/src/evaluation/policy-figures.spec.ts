import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { OpinionColumns } from './opinion-columns.js';
import { goldColumn, joinOpinions } from './opinion-columns.js';
import { exitFigures, policyFigures } from './policy-figures.js';
import type { ModelShape } from './row-work.js';
import { countedWork, paperWork } from './row-work.js';

const names = ['ham', 'spam'];
const shape: ModelShape = {
  layers: 2,
  hiddenSize: 4,
  intermediateSize: 8,
  classes: 2,
  exits: [
    { layer: 0, kind: 'fastbert', size: 2, heads: 1 },
    { layer: 2, kind: 'fastbert', size: 2, heads: 1 },
  ],
};

/** Five rows: said at exit 0 and how surely, said at exit 2, given. */
const opinions: OpinionColumns = {
  rows: 5,
  lengths: Int32Array.of(3, 4, 5, 6, 7),
  golds: goldColumn(['ham', 'spam', 'spam', 'eggs', undefined], 5, names),
  exits: [
    { layer: 0, label: Uint16Array.of(0, 0, 1, 1, 1), uncertainty: Float32Array.of(0.1, 0.1, 0.1, 0.1, 0.9) },
    { layer: 2, label: Uint16Array.of(0, 1, 0, 1, 0), uncertainty: new Float32Array(5) },
  ],
};

const speed = (threshold: number) =>
  new Map([
    [0, threshold],
    [2, threshold],
  ]);

it('scores each exit alone', () => {
  const [first, last] = exitFigures(opinions);
  expect(first).toMatchObject({
    layer: 0,
    accuracy: { part: 2, whole: 3 },
    agreement: { part: 2, whole: 5 },
  });
  expect(last).toMatchObject({ layer: 2, accuracy: { part: 2, whole: 3 }, agreement: { part: 5, whole: 5 } });
});

it('scores a policy: four rows leave at exit 0, one at the end', () => {
  const figures = policyFigures(opinions, speed(0.5), shape, names);
  expect(figures).toMatchObject({
    accuracy: { part: 2, whole: 3 },
    // Rows 2 and 3 left with another label than the full depth's.
    agreement: { part: 3, whole: 5 },
    meanLayers: 2 / 5,
    quality: {
      rows: 3,
      unknownLabels: 1,
      confusion: [
        [1, 0],
        [1, 1],
      ],
    },
  });
  expect(figures.exits).toMatchObject([
    { layer: 0, rows: 4, share: 0.8, accuracy: { part: 2, whole: 3 }, agreement: { part: 2, whole: 4 } },
    { layer: 2, rows: 1, share: 0.2, accuracy: undefined, agreement: { part: 1, whole: 1 } },
  ]);
});

it('adds up the work of the rows at their own lengths, and in the convention of the paper', () => {
  const { work, paperWork: paper } = policyFigures(opinions, speed(0.5), shape, names);
  const counted = countedWork(shape);
  const executed =
    [3, 4, 5, 6].reduce((sum, tokens) => sum + counted.upTo(0, tokens), 0) + counted.upTo(1, 7);
  const full = [3, 4, 5, 6, 7].reduce((sum, tokens) => sum + counted.full(tokens), 0);
  expect(work).toEqual({ executed, full, saved: 1 - executed / full });
  expect(paper.executed).toBe(4 * paperWork(shape).upTo(0, 1) + paperWork(shape).upTo(1, 1));
  const deep = policyFigures(opinions, speed(0), shape, names);
  expect(deep.work.saved).toBeLessThan(0);
  expect(deep.agreement.share).toBe(1);
});

it('gives no quality without labels, and no division by zero without rows', () => {
  const unlabelled = { ...opinions, golds: goldColumn(undefined, 5, names) };
  expect(policyFigures(unlabelled, speed(0.5), shape, names)).toMatchObject({
    accuracy: undefined,
    quality: undefined,
  });
  const empty = policyFigures(joinOpinions([], [0, 2]), speed(0.5), shape, names);
  expect(empty).toMatchObject({ meanLayers: 0, work: { saved: 0 }, agreement: { share: 0 } });
});

/** Rows `from` to `to`. */
function cut({ lengths, golds, exits }: OpinionColumns, from: number, to: number): OpinionColumns {
  return {
    rows: to - from,
    lengths: lengths.slice(from, to),
    golds: golds.slice(from, to),
    exits: exits.map(({ layer, label, uncertainty }) => ({
      layer,
      label: label.slice(from, to),
      uncertainty: uncertainty.slice(from, to),
    })),
  };
}

it('does not depend on how the rows are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 4 }), (cuts) => {
      const edges = [0, ...cuts, 5].sort((a, b) => a - b);
      const parts = edges.slice(1).map((to, index) => cut(opinions, edges[index]!, to));
      expect(joinOpinions(parts, [0, 2])).toEqual(opinions);
    }),
  );
});
