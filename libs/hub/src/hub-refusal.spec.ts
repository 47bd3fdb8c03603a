import { expect, it } from 'vitest';
import { waitOf } from './hub-refusal.js';

const now = Date.parse('2026-01-01T00:00:00Z');

it.each([
  [{ 'retry-after': '7' }, 7000],
  [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT' }, 9000],
  [{ 'retry-after': 'Wed, 31 Dec 2025 23:00:00 GMT' }, 0],
  [{ 'retry-after': 'soon' }, undefined],
  [{ ratelimit: '"api";r=0;t=55' }, 55_000],
  [{ ratelimit: '"resolvers"; r=0; t=3', 'retry-after': '1' }, 1000],
  [{}, undefined],
])('%o asks to wait %d ms', (headers, wait) => {
  expect(waitOf(new Headers(Object.entries(headers)), now)).toBe(wait);
});
