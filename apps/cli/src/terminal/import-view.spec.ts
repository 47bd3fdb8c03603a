import { expect, it } from 'vitest';
import type { ImportProgress } from './import-view.js';
import { importView } from './import-view.js';
import { plainPaint } from './paint.js';

const quarter: ImportProgress = {
  phase: 'importing',
  fraction: 0.25,
  bytes: 110_000_000,
  totalBytes: 440_000_000,
  tensor: 'bert.encoder.layer.0.output.dense.weight',
  elapsedMs: 1000,
};

it('shows how much is written and how long the rest takes', () => {
  expect(importView.picture(quarter, 60, plainPaint).slice(1)).toEqual([
    '110 MB of 440 MB · 3.0 s left',
    quarter.tensor,
  ]);
  expect(importView.line(quarter)).toBe(`importing: 25 %, 110 MB of 440 MB, 3.0 s left, ${quarter.tensor}`);
});

it('knows no time before the first tensor is written, and fits a narrow terminal', () => {
  expect(importView.line({ ...quarter, fraction: 0, bytes: 0 })).not.toContain('left');
  for (const line of importView.picture(quarter, 20, plainPaint)) expect(line.length).toBeLessThanOrEqual(20);
});
