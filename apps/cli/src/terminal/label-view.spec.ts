import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LabelProgress } from '#run/label-progress.js';
import { labelView, labelViewLines } from './label-view.js';
import { paintFor, plainPaint } from './paint.js';
import { textWidth } from './text-width.js';

const progress: LabelProgress = {
  phase: 'labelling',
  fraction: 0.578,
  rows: 3412,
  rowsResumed: 1024,
  rejected: 3,
  totalRows: 5908,
  totalGuessed: true,
  exits: [
    { layer: 0, rows: 3102 },
    { layer: 1, rows: 201 },
    { layer: 2, rows: 0 },
    { layer: 6, rows: 106 },
  ],
  layers: 6,
  elapsedMs: 2000,
};

const nothingYet: LabelProgress = {
  ...progress,
  phase: 'verifying',
  fraction: undefined,
  rows: 0,
  rowsResumed: 0,
  rejected: 0,
  totalRows: undefined,
  exits: progress.exits.map(({ layer }) => ({ layer, rows: 0 })),
  elapsedMs: 0,
};

describe('labelViewLines', () => {
  it('fills 80 columns', () => {
    expect(labelViewLines(progress, 80, plainPaint)).toEqual([
      'labelling ████████████████████████████▉░░░░░░░░░░░░░░░░░░░░░  57 %',
      '3,412 of ~5,908 rows · 1,194 rows/s · 2.1 s left · 3 rejected · 1,024 resumed',
      '',
      'exit 0 █████████████████████████████████████████████▌     3,102   91.0 %',
      'exit 1 ███                                                  201    5.9 %',
      'exit 2                                                        0    0.0 %',
      'exit 6 █▌                                                   106    3.1 %',
      '',
      '0.25 of 6 layers a row · 95.9 % saved',
    ]);
  });

  it('fits into 40 columns', () => {
    expect(labelViewLines(progress, 39, plainPaint)).toEqual([
      'labelling █████████████▎░░░░░░░░░  57 %',
      '3,412 of ~5,908 rows · 1,194 rows/s',
      '',
      'exit 0 ███████████████▌  3,102   91.0 %',
      'exit 1 █                   201    5.9 %',
      'exit 2                       0    0.0 %',
      'exit 6 ▌                   106    3.1 %',
      '',
      '0.25 of 6 layers a row · 95.9 % saved',
    ]);
  });

  it('shows a run of which nothing is known yet', () => {
    expect(labelViewLines(nothingYet, 40, plainPaint)).toEqual([
      'verifying ░░░░░░░░░░░░░░░░░░░░░░░░',
      '0 rows',
      '',
      'exit 0                        0',
      'exit 1                        0',
      'exit 2                        0',
      'exit 6                        0',
      '',
      '',
    ]);
  });

  it('is coloured from cool to warm', () => {
    const paint = paintFor({ isTTY: true, getColorDepth: () => 8 }, {});
    expect(labelViewLines(progress, 32, paint).slice(3, 7)).toEqual([
      'exit 0 \x1b[38;5;33m█████████▏\x1b[39m 3,102   91.0 %',
      'exit 1 \x1b[38;5;43m▋         \x1b[39m   201    5.9 %',
      'exit 2 \x1b[38;5;113m          \x1b[39m     0    0.0 %',
      'exit 6 \x1b[38;5;196m▎         \x1b[39m   106    3.1 %',
    ]);
  });

  it('never fills more columns than there are, in colour or not', () => {
    const counts = fc.array(fc.nat(10_000_000), { minLength: 1, maxLength: 13 });
    fc.assert(
      fc.property(
        counts,
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 30, max: 200 }),
        (rows, done, fraction, columns) => {
          const some: LabelProgress = {
            ...progress,
            fraction,
            rows: done,
            rowsResumed: Math.floor(done / 3),
            exits: rows.map((count, layer) => ({ layer, rows: count })),
            layers: 12,
          };
          const plain = labelViewLines(some, columns, plainPaint);
          const coloured = labelViewLines(some, columns, paintFor({}, { FORCE_COLOR: '1' }));
          for (const line of plain) expect(textWidth(line)).toBeLessThanOrEqual(columns);
          expect(coloured.map(stripVTControlCharacters)).toEqual(plain);
        },
      ),
    );
  });
});

it('says the same in one plain line', () => {
  expect(labelView.line(progress)).toBe(
    'labelling: 57 %, 3,412 of ~5,908 rows, 1,194 rows/s, 2.1 s left, 3 rejected, 1,024 resumed',
  );
  expect(labelView.line(nothingYet)).toBe('verifying: 0 rows');
});
