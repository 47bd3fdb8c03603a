import { expect, it } from 'vitest';
import { plainPaint } from './paint.js';
import type { TimedPull } from './pull-view.js';
import { pullView } from './pull-view.js';

const halfway: TimedPull = {
  phase: 'pulling',
  fraction: 0.5,
  file: 'model.safetensors',
  bytes: 220_000_000,
  bytesKept: 20_000_000,
  totalBytes: 440_000_000,
  elapsedMs: 10_000,
};

it('shows how much is here, how fast it comes and how long it takes, by the bytes of this session', () => {
  expect(pullView.picture(halfway, 80, plainPaint)).toEqual([
    `pulling  ${'█'.repeat(25)}${'░'.repeat(25)}  50 %`,
    '220 MB of 440 MB · 20.0 MB/s · 11 s left · 20.0 MB were here',
    'model.safetensors',
  ]);
  expect(pullView.line(halfway)).toBe(
    'pulling: 50 %, 220 MB of 440 MB, 20.0 MB/s, 11 s left, 20.0 MB were here, model.safetensors',
  );
});

it('fits a narrow terminal', () => {
  for (const line of pullView.picture(halfway, 16, plainPaint)) expect(line.length).toBeLessThanOrEqual(16);
  expect(pullView.picture(halfway, 16, plainPaint)[2]).toBe('model.safetenso…');
});

it('shows no character of a name that would turn the line around', () => {
  const turned = { ...halfway, file: 'a\u202eb.bin' };
  expect(pullView.line(turned)).toContain(String.raw`a\u{202e}b.bin`);
  expect(pullView.picture(turned, 80, plainPaint)[2]).toBe(String.raw`a\u{202e}b.bin`);
});

it('says no speed before the first byte, nor after bytes that had to be fetched again', () => {
  const began = { ...halfway, bytes: 10, bytesKept: 20, elapsedMs: 5 };
  expect(pullView.line(began)).not.toContain('/s');
  expect(pullView.line({ ...halfway, elapsedMs: 0 })).not.toContain('/s');
});
