import { expect, it } from 'vitest';
import { tokenBatch } from './token-batch.js';

it('takes as many rows as a batch has', () => {
  const rows = 200_000;
  const starts = Int32Array.from({ length: rows + 1 }, (_, row) => row);
  const tokens = { ids: new Int32Array(rows).fill(7), segments: undefined, starts };
  const batch = tokenBatch(
    tokens,
    Int32Array.from({ length: rows }, (_, row) => row),
  );
  expect([batch.longest, batch.ids.length]).toEqual([1, rows]);
});
