import { expect, it } from 'vitest';
import type { RunProgress } from '#pipeline/label-run.js';
import { emptyTally } from '#pipeline/report/tally.js';
import { labelProgressOf, layersOf, remainingMs, rowsPerSecond } from './label-progress.js';

const context = { layers: 6, exitLayers: [0, 2, 6], elapsedMs: 2000 };

const running: RunProgress = {
  phase: 'labelling',
  tally: {
    ...emptyTally,
    rows: 600,
    accepted: 590,
    exits: [
      { layer: 0, labels: [300, 200], uncertainty: [480, 20] },
      { layer: 6, labels: [40, 50], uncertainty: [90] },
    ],
  },
  rowsResumed: 100,
  rowsPlanned: 1000,
  bytesPlanned: 2500,
  totalBytes: 10_000,
  chunksCommitted: 3,
  chunksPlanned: 5,
  chunksMerged: 0,
};

it('shows every exit of the model, also those that no row left at', () => {
  expect(labelProgressOf(running, context).exits).toEqual([
    { layer: 0, rows: 500 },
    { layer: 2, rows: 0 },
    { layer: 6, rows: 90 },
  ]);
});

it('guesses the rows and the time left from the bytes read', () => {
  const progress = labelProgressOf(running, context);
  expect(progress).toMatchObject({ fraction: 0.15, totalRows: 4000, totalGuessed: true, rejected: 10 });
  expect(rowsPerSecond(progress)).toBe(250);
  expect(remainingMs(progress)).toBe(13_600);
});

it('counts rows that left and are not committed yet, on top of those of earlier sessions', () => {
  const resumed = {
    ...emptyTally,
    rows: 100,
    accepted: 100,
    exits: [{ layer: 6, labels: [100, 0], uncertainty: [60, 40] }],
  };
  const left = new Map([
    [0, 700],
    [2, 5],
  ]);
  const progress = labelProgressOf(running, { ...context, left, resumed });
  expect(progress.exits.map(({ rows }) => rows)).toEqual([700, 5, 100]);
  expect(progress.rows).toBe(815);
});

it('expects no more rows than the limit', () => {
  const progress = labelProgressOf(running, { ...context, limit: 1200 });
  expect(progress).toMatchObject({ fraction: 0.5, totalRows: 1200 });
  expect(remainingMs(progress)).toBe(2400);
});

it('guesses nothing from nothing', () => {
  expect(labelProgressOf({ ...running, totalBytes: undefined }, context)).toMatchObject({
    fraction: undefined,
    totalRows: undefined,
  });
  expect(labelProgressOf({ ...running, bytesPlanned: 0 }, context)).toMatchObject({
    fraction: undefined,
    totalRows: undefined,
  });
});

it('measures the other phases by chunks', () => {
  expect(labelProgressOf({ ...running, phase: 'verifying' }, context).fraction).toBe(0.6);
  const merging = labelProgressOf({ ...running, phase: 'merging', chunksMerged: 1 }, context);
  expect(merging).toMatchObject({ fraction: 1 / 3, totalRows: 600, totalGuessed: false });
  expect(labelProgressOf({ ...running, phase: 'finished' }, context).fraction).toBe(1);
});

it('tells the layers that were saved', () => {
  const { mean, saved } = layersOf(labelProgressOf(running, context));
  expect(mean).toBeCloseTo((6 * 90) / 590, 12);
  expect(saved).toBeCloseTo(1 - 90 / 590, 12);
});
