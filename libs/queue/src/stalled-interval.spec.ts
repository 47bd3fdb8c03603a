import { expect, it } from 'vitest';
import { stalledInterval } from './stalled-interval.js';

it.each([
  [30_000, 10_000],
  // Redis refuses parts of a millisecond.
  [2000, 667],
])('of a lock of %i ms there are %i ms between two looks', (lockMs, interval) => {
  expect(stalledInterval(lockMs)).toBe(interval);
});
