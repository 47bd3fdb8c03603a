import { describe, expect, it } from 'vitest';
import type { RunPhase } from '#run/run-view.js';
import { fractionOf } from './run-words.js';

const progress = (fraction: number | undefined) => ({
  phase: 'labelling',
  fraction,
  rows: 5,
  rowsResumed: 0,
  rejected: 0,
  totalRows: undefined,
  totalGuessed: false,
  exits: [],
  layers: 2,
  elapsedMs: 1,
});

describe('the share of a run that is done', () => {
  it.each<[RunPhase, ReturnType<typeof progress> | undefined, number | undefined]>([
    ['waiting', undefined, 0],
    ['running', undefined, undefined],
    ['running', progress(undefined), undefined],
    ['running', progress(0.5), 0.5],
    ['failed', undefined, 0],
    ['failed', progress(undefined), 0],
    ['cancelled', progress(0.5), 0.5],
    ['finished', undefined, 1],
  ])('%s, at %j, is %s', (phase, progress, share) => {
    expect(fractionOf({ phase, progress })).toBe(share);
  });
});
