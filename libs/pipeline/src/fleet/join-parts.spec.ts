import { expect, it } from 'vitest';
import { emptyLabels } from '../label-columns.js';
import { joinParts } from './join-parts.js';
import type { ResultPart } from './result-part.js';

/** Rows of 10, 20, 30, … tokens, every second one cut; labelled with their own number. */
function partOf(...rows: number[]): ResultPart {
  const labels = emptyLabels(rows.length, 2);
  for (const [at, row] of rows.entries()) labels.label[at] = row;
  return {
    rows: Int32Array.from(rows),
    labels,
    lengths: Int32Array.from(rows, (row) => 10 * (row + 1)),
    truncated: Uint8Array.from(rows, (row) => row % 2),
    rejected: [],
  };
}

it('counts a row once, however many parts it is in', () => {
  const parts = [
    partOf(2, 0),
    partOf(0, 1, 2),
    partOf(1),
    { ...partOf(), rejected: [{ index: 1, reason: 'x', message: '' }] },
  ];
  expect(joinParts(parts.slice(0, 1), 3, 2)).toBeUndefined();
  const joined = joinParts(parts, 3, 2)!;
  expect([...joined.labels.label]).toEqual([0, 1, 2]);
  expect([joined.tokens, joined.truncated, joined.rejected]).toEqual([60, 1, []]);
});

it('refuses rows and classes that the chunk has not', () => {
  expect(() => joinParts([partOf(3)], 3, 2)).toThrow('Expected rows 0 to 2; got 3.');
  expect(() => joinParts([partOf(0)], 1, 3)).toThrow('Expected results of 3 classes; got 2.');
});
