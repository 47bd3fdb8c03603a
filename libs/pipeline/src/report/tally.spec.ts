import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import type { CorpusChunk } from '../ports.js';
import type { Tally } from './tally.js';
import { addTallies, emptyTally, tallyChunk } from './tally.js';

const names = ['ham', 'spam', '__proto__'];

interface Row {
  readonly label: number;
  readonly layer: number;
  readonly uncertainty: number;
  readonly gold: string | undefined;
  readonly rejected: string | undefined;
}

const row: fc.Arbitrary<Row> = fc.record({
  label: fc.nat(2),
  layer: fc.nat(6),
  uncertainty: fc.float({ min: 0, max: 1, noNaN: true }),
  gold: fc.constantFrom('ham', 'spam', '__proto__', 'constructor', undefined),
  rejected: fc.constantFrom('too-long', 'unparseable', undefined, undefined),
});

function tallyOf(rows: readonly Row[]): Tally {
  const accepted = rows.filter((one) => one.rejected === undefined);
  const chunk: CorpusChunk = {
    chunk: 0,
    firstRow: 1,
    rows: rows.length,
    range: { file: 0, start: 0, end: 0, sha256: '' },
    texts: accepted.map(() => ''),
    golds: accepted.map((one) => one.gold),
    records: [],
    rejects: rows.flatMap(({ rejected }, index) =>
      rejected === undefined ? [] : [{ row: index + 1, reason: rejected, message: '' }],
    ),
  };
  const columns = {
    rows: accepted.length,
    classes: names.length,
    label: Uint16Array.from(accepted, (one) => one.label),
    exitLayer: Uint8Array.from(accepted, (one) => one.layer),
    uncertainty: Float32Array.from(accepted, (one) => one.uncertainty),
    probabilities: new Float32Array(accepted.length * names.length),
  };
  return tallyChunk(chunk, { tokens: accepted.length * 3, truncated: 1 }, columns, names);
}

it('counts a chunk', () => {
  const rows: Row[] = [
    { label: 1, layer: 2, uncertainty: 1, gold: 'ham', rejected: undefined },
    { label: 1, layer: 2, uncertainty: 0.051, gold: 'spam', rejected: undefined },
    { label: 0, layer: 0, uncertainty: 0, gold: 'eggs', rejected: undefined },
    { label: 0, layer: 0, uncertainty: 0, gold: undefined, rejected: undefined },
    { label: 0, layer: 0, uncertainty: 0, gold: undefined, rejected: 'too-long' },
  ];
  const tally = tallyOf(rows);
  expect(tally).toMatchObject({
    rows: 5,
    accepted: 4,
    rejected: { 'too-long': 1 },
    truncated: 1,
    tokens: 12,
  });
  expect(tally.exits.map(({ layer, labels }) => ({ layer, labels }))).toEqual([
    { layer: 0, labels: [2, 0, 0] },
    { layer: 2, labels: [0, 2, 0] },
  ]);
  expect(tally.exits[1]?.uncertainty).toEqual(
    Array.from({ length: 20 }, (_, bin) => Number([1, 19].includes(bin))),
  );
  expect(tally.golds).toEqual({
    confusion: [
      [0, 1, 0],
      [0, 1, 0],
      [0, 0, 0],
    ],
    unknown: 1,
  });
});

it('adds up to the same counts however the rows are cut, in whatever order, and through JSON', () => {
  fc.assert(
    fc.property(fc.array(fc.array(row, { maxLength: 6 }), { maxLength: 5 }), (chunks) => {
      const whole = tallyOf(chunks.flat());
      const parts = chunks.map((rows) => throughJson(tallyOf(rows)));
      const sum = parts.toReversed().reduce(addTallies, emptyTally);
      expect({ ...sum, truncated: 1 }).toEqual({ ...whole, truncated: 1 });
      expect(JSON.stringify(sum)).toBe(JSON.stringify(parts.reduce(addTallies, emptyTally)));
    }),
  );
});

function throughJson(tally: Tally): Tally {
  return addTallies(emptyTally, JSON.parse(JSON.stringify(tally)));
}
