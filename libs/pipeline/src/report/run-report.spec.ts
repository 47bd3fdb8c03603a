import { expect, it } from 'vitest';

import { qualityOf } from './quality.js';
import { countedReport } from './run-report.js';
import { emptyTally } from './tally.js';

/** So many rows, all sure. */
const sure = (rows: number): number[] => [rows, ...Array.from({ length: 19 }, () => 0)];

it('tells where rows left and what that saved', () => {
  const tally = {
    ...emptyTally,
    rows: 11,
    accepted: 10,
    exits: [
      { layer: 0, labels: [6, 0], uncertainty: sure(6) },
      { layer: 2, labels: [1, 1], uncertainty: sure(2) },
      { layer: 6, labels: [0, 2], uncertainty: sure(2) },
    ],
  };
  const report = countedReport(tally, ['ham', 'spam'], 6);
  expect(report).toMatchObject({ rows: 11, accepted: 10, rejected: 1, quality: undefined });
  expect(report.exits.map((exit) => exit.share)).toEqual([0.6, 0.2, 0.2]);
  expect(report.labels).toEqual([
    { label: 'ham', rows: 7 },
    { label: 'spam', rows: 3 },
  ]);
  expect(report.meanLayers).toBeCloseTo(1.6, 12);
  expect(report.layersSaved).toBeCloseTo(1 - 1.6 / 6, 12);
});

it('scores predictions as the textbook does', () => {
  const confusion = [
    [8, 2, 0],
    [1, 3, 0],
    [0, 0, 0],
  ];
  const quality = qualityOf({ confusion, unknown: 4 }, ['ham', 'spam', 'unused']);
  expect(quality).toMatchObject({ rows: 14, unknownLabels: 4 });
  expect(quality.accuracy).toBeCloseTo(11 / 14, 12);
  expect(quality.classes[0]).toMatchObject({ precision: 8 / 9, recall: 0.8 });
  expect(quality.classes[1]).toMatchObject({ precision: 0.6, recall: 0.75 });
  expect(quality.classes[2]).toMatchObject({ rows: 0, precision: 0, recall: 0, f1: 0 });
  expect(quality.macroF1).toBeCloseTo((16 / 19 + 2 / 3) / 2, 12);
});
