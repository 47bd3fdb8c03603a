import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { killingSignal } from './killing-signal.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([
  ['taken', true, true],
  ['lock-lost', true, true],
  ['cancelled', false, true],
  ['trainer-stops', false, false],
])('of a training that is stopped as %s: killed at once %s, and later %s', (reason, atOnce, later) => {
  const stop = new AbortController();
  const kill = killingSignal(stop.signal);
  vi.advanceTimersByTime(60_000);
  expect(kill.aborted).toBe(false);
  stop.abort(reason);
  expect(kill.aborted).toBe(atOnce);
  vi.advanceTimersByTime(60_000);
  expect(kill.aborted).toBe(later);
});
